"""What the Inspector port promises: held against the simulated cluster, and a real one by `make live`."""

from __future__ import annotations

from reconciler.values.inspection import UseSource, WorkloadEvents
from tests.contracts.adapter_worlds import Machines, eventually, service, workload


def test_use_is_measured_or_says_why_it_is_not(world: Machines) -> None:
    inspector = world.inspector
    wanted = workload(700, service(count=2))
    world.adapter.apply(wanted, "d")
    world.until(wanted.id, lambda r: r.ready, "ready")

    used = inspector.use(wanted.id)

    assert {each.container for each in used.containers} == {"web"}
    if used.source is UseSource.REQUESTS:
        assert used.why
        assert [(each.cpu_milli, each.memory_bytes) for each in used.containers] == [(100, 64 << 20)] * 2
    else:
        assert used.at > 0


def test_what_the_cluster_says_of_a_workload_is_told_newest_first(world: Machines) -> None:
    inspector = world.inspector
    wanted, other = workload(701), workload(702)
    for each in (wanted, other):
        world.adapter.apply(each, "d")

    def told() -> WorkloadEvents | None:
        found = inspector.happenings(wanted.id)
        return found if world.first_happening in {each.reason for each in found.listed} else None

    found = eventually(told, "that its pods are made")
    assert found.complete
    assert all(wanted.id in each.about for each in found.listed)
    times = [each.last_at for each in found.listed]
    assert times == sorted(times, reverse=True)
    assert times[-1] > 0


def test_of_a_workload_that_is_not_there_nothing_is_told(world: Machines) -> None:
    nobody = workload(703).id

    assert world.inspector.use(nobody).containers == ()
    assert world.inspector.happenings(nobody).listed == ()
