"""What differs between two mappings, by the identity of their values."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.values.result_cache import ResultCache
from reconciler.values.same import (
    DerivedMapping,
    are_equal,
    differing_names,
    has_same,
    has_same_names,
    keep_same,
    with_names,
    with_values,
)

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


@given(mappings, st.lists(st.tuples(mappings, st.booleans()), max_size=12), st.data())
def test_derived_mappings_compare_as_any_others(
    first: dict[str, tuple[int]], changes: list[tuple[dict[str, tuple[int]], bool]], data: st.DataObject
) -> None:
    history: list[Mapping[str, tuple[int]]] = [with_values(first, {})]
    for other, has_new_names in changes:
        before = data.draw(st.sampled_from(history[-2:]))
        if has_new_names:
            derived = with_names(before, other, [*differing_names(before, other)])
        else:
            derived = with_values(before, {name: other[name] for name in other if name in before})
        history.append(derived)
    one, two = data.draw(st.sampled_from(history)), data.draw(st.sampled_from(history))
    assert {*differing_names(one, two)} == {*differing_names(dict(one), dict(two))}
    assert has_same(one, two) is has_same(dict(one), dict(two))
    assert are_equal(one, two) is (dict(one) == dict(two))
    kept = with_values({name: (*each,) for name, each in one.items()}, {})
    assert [*keep_same(kept, two, equal=one).items()] == [*two.items()]
    results, totals = ResultCache(), [sum(value for (value,) in each.values()) for each in history]
    assert [results.sum_each("sum", each, lambda value: value[0]) for each in history] == totals
    assert has_same_names(one, two) is has_same_names(dict(one), dict(two))


def test_a_comparison_with_a_derived_mapping_walks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    base = with_values({name: (name,) for name in map(str, range(100))}, {})
    derived = with_values(with_values(base, {"7": ("x",)}), {"9": ("y",)})
    for each in ("values", "items", "__iter__"):
        monkeypatch.setattr(DerivedMapping, each, None)
    assert [*differing_names(base, derived)] == ["7", "9"]
    assert has_same_names(base, derived)
    assert not has_same(base, derived)
