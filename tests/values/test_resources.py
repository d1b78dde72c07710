from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.values.resources import MB, Resources, total
from tests.makers import unit

few = st.integers(0, 3)
resources = st.builds(Resources, few, few, few, few)


@given(resources, resources)
def test_what_lacks_nothing_has_nothing_negative_left(here: Resources, wanted: Resources) -> None:
    left = here - wanted
    parts = (left.cpu_milli, left.memory_bytes, left.storage_bytes, left.gpu)
    assert (here.lacks(wanted) == ()) == all(part >= 0 for part in parts)


def test_unrequested_resources_are_never_too_small() -> None:
    """Room that is overdrawn already stands in nobody's way who wants none of it."""
    assert Resources(-5, MB).lacks(Resources(0, MB)) == ()
    assert Resources().lacks(Resources(1, 1, 1, 1)) == ("cpu", "memory", "storage", "gpu")


@given(resources, few)
def test_so_many_times_is_so_many_added(one: Resources, count: int) -> None:
    assert one.times(count) == total([one] * count)


def test_a_unit_counts_its_volumes_and_its_copies() -> None:
    asked = unit(cpu=500, count=3)
    assert asked.one == Resources(500, 1024 * MB, 1024 * MB, 0)
    assert asked.all == Resources(1500, 3072 * MB, 3072 * MB, 0)
    assert asked.all.describe() == "1500m cpu, 3072 MB memory, 3072 MB storage, 0 gpu"
