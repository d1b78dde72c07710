"""What differs between two mappings, by the identity of their values."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.values.same import differing_names, has_same, keep_same

values = st.tuples(st.integers(0, 1))  # equal ones are different objects
mappings = st.dictionaries(st.sampled_from("abcd"), values)


@given(mappings, mappings, st.booleans())
def test_the_differing_names_are_those_of_other_objects(
    before: dict[str, tuple[int]], other: dict[str, tuple[int]], is_same: bool
) -> None:
    now = {**before, **other} if is_same else other
    wanted = {name for name in before.keys() | now.keys() if before.get(name) is not now.get(name)}
    assert set(differing_names(before, now)) == wanted
    assert has_same(before, now) is (list(before) == list(now) and not wanted)


@given(mappings, mappings)
def test_equal_values_are_kept_as_the_same_objects(
    before: dict[str, tuple[int]], now: dict[str, tuple[int]]
) -> None:
    kept = keep_same(before, now)
    assert kept == now
    assert list(kept) == list(now)
    assert all(kept[name] is before[name] for name in now if before.get(name) == now[name])
    assert (kept is before) is (list(before.items()) == list(now.items()))
