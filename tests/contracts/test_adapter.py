"""The contract of the Adapter port, on simulated backends and, by `make live`, on real ones."""

from __future__ import annotations

import pytest

from reconciler.values.ids import workload_id
from reconciler.values.outcomes import Done
from reconciler.values.readings import Seen
from tests.contracts.adapter_backends import (
    EXPOSED,
    QUOTA,
    AdapterBackend,
    eventually,
    lease,
    service,
    workload,
)


def test_an_empty_backend_is_seen_empty(backend: AdapterBackend) -> None:
    view = backend.adapter.observe()

    assert isinstance(view.workloads, Seen)
    assert workload_id(lease(1)) not in view.workloads.view
    assert isinstance(view.capacity, Seen)


def test_preparing_is_idempotent(backend: AdapterBackend) -> None:
    eventually(lambda: backend.capacity().quota == QUOTA, "the quota in force")

    assert isinstance(backend.adapter.prepare(QUOTA), Done)

    assert backend.capacity().quota == QUOTA


def test_an_applied_workload_becomes_ready(backend: AdapterBackend) -> None:
    wanted = workload(100, service(count=2), service("db"))

    assert backend.adapter.apply(wanted, "digest-1") == Done()

    found = backend.until(wanted.id, lambda r: r.ready, "ready")
    assert (found.lease, found.digest, found.replicas, found.replicas_ready) == (lease(100), "digest-1", 3, 3)
    assert found.ready_by_service == (("db", 1), ("web", 2))
    assert (found.paused, found.removing, found.drifted, found.trouble) == (False, False, False, None)


def test_applying_is_idempotent(backend: AdapterBackend) -> None:
    wanted = workload(101, service(ports=EXPOSED))
    backend.adapter.apply(wanted, "d")
    backend.until(wanted.id, lambda r: r.ready, "ready")
    before = backend.versions(wanted.id)

    assert backend.adapter.apply(wanted, "d") == Done()

    backend.until(wanted.id, lambda r: r.ready, "ready still")
    assert backend.versions(wanted.id) == before


def test_a_change_wakes_the_loop(backend: AdapterBackend) -> None:
    wanted = workload(102)
    backend.adapter.apply(wanted, "d")
    count = len(backend.wakes)

    backend.until(wanted.id, lambda r: r.ready, "ready")

    assert len(backend.wakes) > count or count > 0


def test_unready_containers_do_not_count(backend: AdapterBackend) -> None:
    wanted = workload(103, service(image="registry.example/unready:1"))
    backend.adapter.apply(wanted, "d")

    found = backend.until(wanted.id, lambda _: backend.is_up(wanted.id), "a running container")
    assert not found.ready
    assert found.replicas_ready == 0


def test_two_tenants_may_use_the_same_names(backend: AdapterBackend) -> None:
    first, second = workload(104, service("db", ports=EXPOSED)), workload(105, service("db", ports=EXPOSED))

    backend.adapter.apply(first, "1")
    backend.adapter.apply(second, "2")

    assert backend.until(first.id, lambda r: r.ready, "ready").digest == "1"
    assert backend.until(second.id, lambda r: r.ready, "ready").digest == "2"


def test_a_paused_workload_runs_nothing_and_resumes(backend: AdapterBackend) -> None:
    wanted = workload(106, service(count=2))
    backend.adapter.apply(wanted, "on")
    backend.until(wanted.id, lambda r: r.ready, "ready")

    backend.adapter.apply(workload(106, service(count=2), paused=True), "off")

    found = backend.until(wanted.id, lambda r: r.paused and r.replicas_ready == 0, "paused")
    assert (found.ready, found.digest, found.drifted, found.trouble) == (False, "off", False, None)
    backend.adapter.apply(wanted, "on")
    backend.until(wanted.id, lambda r: r.ready and not r.paused, "resumed")


def test_a_new_specification_replaces_the_old_one(backend: AdapterBackend) -> None:
    backend.adapter.apply(workload(107, service(ports=EXPOSED), service("db", ports=EXPOSED)), "old")
    subject = workload_id(lease(107))
    backend.until(subject, lambda r: r.ready, "ready")

    assert backend.adapter.apply(workload(107, service(image="registry.example/web:2")), "new") == Done()

    found = backend.until(subject, lambda r: r.digest == "new" and r.ready and r.replicas_ready == 1, "new")
    assert not found.drifted
    [left] = backend.objects_of(subject)
    assert left.startswith(f"web-{subject}")


def test_removal_deletes_labelled_objects_only(backend: AdapterBackend) -> None:
    removed, kept = workload(170, service(ports=EXPOSED)), workload(171)
    backend.adapter.apply(removed, "d")
    backend.adapter.apply(kept, "d")
    backend.until(removed.id, lambda r: r.ready, "ready")
    backend.until(kept.id, lambda r: r.ready, "ready")
    foreign = backend.create_lookalike(removed.id)

    assert isinstance(backend.adapter.remove(removed.id), Done)

    backend.until_gone(removed.id)
    assert isinstance(backend.adapter.remove(removed.id), Done)
    assert backend.objects_of(removed.id) == [foreign]
    assert backend.until(kept.id, lambda r: r.ready, "ready").digest == "d"


def test_logs_are_the_last_lines_of_every_container(backend: AdapterBackend) -> None:
    wanted = workload(174, service(count=2), service("db"))
    backend.adapter.apply(wanted, "d")
    backend.until(wanted.id, lambda r: r.ready, "ready")

    lines = list(backend.adapter.logs(wanted.id, 1))

    assert [line.split(b"/")[0] for line in lines] == [b"db", b"web", b"web"]
    assert all(line.endswith(b"\n") and b" | " in line for line in lines)


def test_logs_of_a_missing_workload_are_an_error(backend: AdapterBackend) -> None:
    with pytest.raises(OSError, match=r"has no (pods|containers)"):
        backend.adapter.logs(workload_id(lease(999)), 10)


def test_foreign_load_reduces_capacity(backend: AdapterBackend) -> None:
    before = backend.capacity().total.cpu_milli

    with backend.foreign_load(1500):
        eventually(lambda: backend.capacity().total.cpu_milli == before - 1500, "less capacity")

    eventually(lambda: backend.capacity().total.cpu_milli == before, "capacity again")


def test_our_workloads_reduce_free_resources_only(backend: AdapterBackend) -> None:
    before = backend.capacity()
    wanted = workload(175)
    backend.adapter.apply(wanted, "d")
    backend.until(wanted.id, lambda r: r.ready, "ready")

    after = backend.capacity()

    assert after.total == before.total
    rooms = [[machine.free for machine in each.machines] for each in (before, after)]
    assert sum(r.cpu_milli for r in rooms[1]) <= sum(r.cpu_milli for r in rooms[0]) - 100
