"""What the Adapter port promises: held against simulated machines, and real ones by `make live`."""

from __future__ import annotations

import pytest

from reconciler.values.ids import workload_id
from reconciler.values.outcomes import Done
from reconciler.values.readings import Seen
from tests.contracts.adapter_worlds import (
    EXPOSED,
    GIVEN,
    Machines,
    eventually,
    lease,
    service,
    workload,
)


def test_a_cluster_without_workloads_is_seen_empty(world: Machines) -> None:
    view = world.adapter.look()

    assert isinstance(view.workloads, Seen)
    assert workload_id(lease(1)) not in view.workloads.view
    assert isinstance(view.capacity, Seen)


def test_preparing_sets_the_quota_and_again_changes_nothing(world: Machines) -> None:
    eventually(lambda: world.capacity().quota == GIVEN, "the quota in force")

    assert isinstance(world.adapter.prepare(GIVEN), Done)

    assert world.capacity().quota == GIVEN


def test_an_applied_workload_runs_when_its_pods_are_ready(world: Machines) -> None:
    wanted = workload(100, service(count=2), service("db"))

    assert world.adapter.apply(wanted, "digest-1") == Done()

    found = world.until(wanted.id, lambda r: r.ready, "ready")
    assert (found.lease, found.digest, found.replicas, found.replicas_ready) == (lease(100), "digest-1", 3, 3)
    assert (found.paused, found.removing, found.drifted, found.trouble) == (False, False, False, None)


def test_applying_the_same_again_writes_nothing(world: Machines) -> None:
    wanted = workload(101, service(ports=EXPOSED))
    world.adapter.apply(wanted, "d")
    world.until(wanted.id, lambda r: r.ready, "ready")
    before = world.marks(wanted.id)

    assert world.adapter.apply(wanted, "d") == Done()

    world.until(wanted.id, lambda r: r.ready, "ready still")
    assert world.marks(wanted.id) == before


def test_waking_comes_with_the_change(world: Machines) -> None:
    wanted = workload(102)
    world.adapter.apply(wanted, "d")
    count = len(world.wakes)

    world.until(wanted.id, lambda r: r.ready, "ready")

    assert len(world.wakes) > count or count > 0


def test_pods_that_are_not_ready_are_not_running(world: Machines) -> None:
    wanted = workload(103, service(image="registry.example/unready:1"))
    world.adapter.apply(wanted, "d")

    found = world.until(wanted.id, lambda _: world.is_up(wanted.id), "a running container")
    assert not found.ready
    assert found.replicas_ready == 0


def test_two_tenants_may_use_the_same_names(world: Machines) -> None:
    first, second = workload(104, service("db", ports=EXPOSED)), workload(105, service("db", ports=EXPOSED))

    world.adapter.apply(first, "1")
    world.adapter.apply(second, "2")

    assert world.until(first.id, lambda r: r.ready, "ready").digest == "1"
    assert world.until(second.id, lambda r: r.ready, "ready").digest == "2"


def test_a_paused_workload_keeps_its_place_and_runs_nothing(world: Machines) -> None:
    wanted = workload(106, service(count=2))
    world.adapter.apply(wanted, "on")
    world.until(wanted.id, lambda r: r.ready, "ready")

    world.adapter.apply(workload(106, service(count=2), paused=True), "off")

    found = world.until(wanted.id, lambda r: r.paused and r.replicas_ready == 0, "paused")
    assert (found.ready, found.digest, found.drifted, found.trouble) == (False, "off", False, None)
    world.adapter.apply(wanted, "on")
    world.until(wanted.id, lambda r: r.ready and not r.paused, "resumed")


def test_a_new_specification_replaces_the_old_one(world: Machines) -> None:
    world.adapter.apply(workload(107, service(ports=EXPOSED), service("db", ports=EXPOSED)), "old")
    subject = workload_id(lease(107))
    world.until(subject, lambda r: r.ready, "ready")

    assert world.adapter.apply(workload(107, service(image="registry.example/web:2")), "new") == Done()

    found = world.until(subject, lambda r: r.digest == "new" and r.ready and r.replicas_ready == 1, "new")
    assert not found.drifted
    [left] = world.left(subject)
    assert left.startswith(f"web-{subject}")


def test_removal_takes_what_is_labelled_and_nothing_else(world: Machines) -> None:
    doomed, spared = workload(170, service(ports=EXPOSED)), workload(171)
    world.adapter.apply(doomed, "d")
    world.adapter.apply(spared, "d")
    world.until(doomed.id, lambda r: r.ready, "ready")
    world.until(spared.id, lambda r: r.ready, "ready")
    stranger = world.leave_stranger(doomed.id)

    assert isinstance(world.adapter.remove(doomed.id), Done)

    world.until_gone(doomed.id)
    assert isinstance(world.adapter.remove(doomed.id), Done)
    assert world.left(doomed.id) == [stranger]
    assert world.until(spared.id, lambda r: r.ready, "ready").digest == "d"


def test_logs_are_the_last_lines_of_every_container(world: Machines) -> None:
    wanted = workload(174, service(count=2), service("db"))
    world.adapter.apply(wanted, "d")
    world.until(wanted.id, lambda r: r.ready, "ready")

    lines = list(world.adapter.logs(wanted.id, 1))

    assert [line.split(b"/")[0] for line in lines] == [b"db", b"web", b"web"]
    assert all(line.endswith(b"\n") and b" | " in line for line in lines)


def test_logs_of_what_is_not_there_say_so(world: Machines) -> None:
    with pytest.raises(OSError, match=r"has no (pods|containers)"):
        world.adapter.logs(workload_id(lease(999)), 10)


def test_strangers_pods_are_not_ours_to_sell(world: Machines) -> None:
    before = world.capacity().total.cpu_milli

    with world.stranger_using(1500):
        eventually(lambda: world.capacity().total.cpu_milli == before - 1500, "less capacity")

    eventually(lambda: world.capacity().total.cpu_milli == before, "capacity again")


def test_our_own_pods_take_room_of_their_node_only(world: Machines) -> None:
    before = world.capacity()
    wanted = workload(175)
    world.adapter.apply(wanted, "d")
    world.until(wanted.id, lambda r: r.ready, "ready")

    after = world.capacity()

    assert after.total == before.total
    rooms = [[*each.nodes, *(host.free for host in each.hosts)] for each in (before, after)]
    assert sum(r.cpu_milli for r in rooms[1]) <= sum(r.cpu_milli for r in rooms[0]) - 100
