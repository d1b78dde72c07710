"""Behaviour that only a simulated cluster can provoke; tests/contracts covers every cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.kubernetes.adapter import KubernetesAdapter
from reconciler.adapters.kubernetes.cluster_observer import ClusterTarget
from reconciler.adapters.kubernetes.connection import Kubeconfig
from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.devnet.cluster.faults import ClusterFault
from reconciler.values.outcomes import Done, Failed
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import Resources
from tests.contracts.adapter_worlds import (
    EXPOSED,
    World,
    close_world,
    open_world,
    service,
    simulated_world,
    workload,
)

QUOTA = Resources(16_000, 32 << 30, 64 << 30, 0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = simulated_world(tmp_path)
    made.adapter.prepare(QUOTA)
    yield made
    close_world(made)


def inner(world: World) -> SimulatedCluster:
    assert world.cluster is not None
    return world.cluster


@pytest.mark.parametrize(
    ("status", "reason"), [(401, "AuthFailure"), (403, "Forbidden"), (500, "ClusterError")]
)
def test_an_action_that_the_cluster_rejects_can_be_retried(world: World, status: int, reason: str) -> None:
    inner(world).faults.add(ClusterFault(status=status))
    wanted = workload(1, service(ports=EXPOSED))

    outcomes = [
        world.adapter.prepare(QUOTA),
        world.adapter.apply(wanted, "d"),
        world.adapter.remove(wanted.id),
    ]

    assert [type(outcome) for outcome in outcomes] == [Failed] * 3
    assert [outcome.reason for outcome in outcomes if isinstance(outcome, Failed)] == [reason] * 3


def test_a_partial_apply_is_completed_by_the_next(world: World) -> None:
    wanted = workload(1, service(ports=EXPOSED), service("db"))
    inner(world).faults.add(ClusterFault(verbs=frozenset({"patch"}), plurals=frozenset({"deployments"})))
    assert isinstance(world.adapter.apply(wanted, "d"), Failed)
    half = world.until(wanted.id, lambda r: r, "the Service alone")
    assert (half.replicas, half.ready, half.drifted) == (0, False, True)

    inner(world).faults.clear()

    assert world.adapter.apply(wanted, "d") == Done()
    assert not world.until(wanted.id, lambda r: r.ready, "ready").drifted


def test_a_failing_capacity_list_does_not_prevent_repairs(tmp_path: Path) -> None:
    cluster = SimulatedCluster()
    cluster.serve()
    cluster.faults.add(ClusterFault(status=403, plurals=frozenset({"nodes"})))
    world = open_world(cluster.write_kubeconfig(tmp_path / "kubeconfig"), tmp_path, None)
    world.cluster = cluster
    try:
        view = world.adapter.look()
        assert isinstance(view.workloads, Seen)
        assert isinstance(view.capacity, Unseen)
        assert "403" in view.capacity.why
    finally:
        close_world(world)


@pytest.mark.parametrize("plural", ["deployments", "services", "networkpolicies"])
def test_a_lagging_watch_causes_no_second_write(world: World, plural: str) -> None:
    """Each cycle that does not see an applied object would apply it again."""
    inner(world).faults.add(ClusterFault("mute", verbs=frozenset({"watch"}), plurals=frozenset({plural})))
    inner(world).drop_watches()
    wanted = workload(1, service(ports=EXPOSED))

    world.adapter.apply(wanted, "first")
    world.adapter.apply(wanted, "second")

    found = world.until(wanted.id, lambda r: r.digest == "second", "the second digest")
    assert not found.drifted
    asked = inner(world).asked["patch", plural]
    for _ in range(20):
        seen = world.running(wanted.id)
        assert seen is not None
        assert (seen.digest, seen.drifted) == ("second", False)
    assert inner(world).asked["patch", plural] == asked


def test_a_written_quota_is_seen_despite_a_lagging_watch(world: World) -> None:
    faults = ClusterFault("mute", verbs=frozenset({"watch"}), plurals=frozenset({"resourcequotas"}))
    inner(world).faults.add(faults)
    inner(world).drop_watches()
    other = Resources(8_000, 16 << 30, 32 << 30, 0)

    assert isinstance(world.adapter.prepare(other), Done)

    assert world.capacity().quota == other


def test_an_existing_namespace_is_used_without_permission_to_apply_it(world: World) -> None:
    inner(world).faults.add(
        ClusterFault(status=403, verbs=frozenset({"patch"}), plurals=frozenset({"namespaces"}))
    )

    assert isinstance(world.adapter.prepare(QUOTA), Done)


def test_a_look_sends_no_request(world: World) -> None:
    world.adapter.apply(workload(1), "d")
    world.until(workload(1).id, lambda r: r.ready, "ready")
    before = sum(inner(world).asked.values())

    views = [world.adapter.look() for _ in range(50)]

    assert sum(inner(world).asked.values()) == before
    assert all(view.workloads is views[0].workloads and view.capacity is views[0].capacity for view in views)


def test_the_first_look_waits_for_the_first_list(world: World) -> None:
    again = open_world(world.kubeconfig, world.scratch, None)
    try:
        assert isinstance(again.adapter.look().workloads, Seen)
    finally:
        again.adapter.close()


def test_workloads_of_another_provider_are_ignored(world: World) -> None:
    wanted = workload(1)
    world.adapter.apply(wanted, "d")
    world.until(wanted.id, lambda r: r.ready, "ready")
    for provider, seen in ((wanted.lease.provider, {wanted.id}), ("ve1another", set())):
        place = ClusterTarget(Kubeconfig(world.kubeconfig), world.namespace, provider=provider)
        adapter = KubernetesAdapter(place, lambda: None)
        adapter.start()
        try:
            workloads = adapter.look().workloads
        finally:
            adapter.close()
        assert isinstance(workloads, Seen)
        assert workloads.view.keys() == seen


def test_terminating_pods_are_shown_until_they_are_gone(world: World) -> None:
    wanted = workload(1)
    world.adapter.apply(wanted, "d")
    world.until(wanted.id, lambda r: r.ready, "ready")

    world.adapter.remove(wanted.id)

    world.until(wanted.id, lambda r: r.removing and not r.ready, "being removed")
    world.until_gone(wanted.id)


def test_changes_by_the_cluster_itself_are_no_drift(world: World) -> None:
    """Otherwise a webhook that rewrites images would cause repairs forever."""
    wanted = workload(1)
    world.adapter.apply(wanted, "d")
    world.until(wanted.id, lambda r: r.ready, "ready")
    name = f"deployment/web-{wanted.id}"
    world.kubectl("set", "image", name, "web=mirror.example/web:1")
    drifted = world.until(wanted.id, lambda r: r.drifted, "drift")
    assert drifted.digest == "d"

    sight = world.adapter._observer
    deployments = sight._deployments.read()
    assert isinstance(deployments, Seen)
    (view,) = deployments.view.values()
    sight.server_drift[name] = view.drift
    sight.invalidate(wanted.id)

    assert not world.until(wanted.id, lambda r: r, "there").drifted


def test_logs_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = workload(1, service(count=3))
    world.adapter.apply(wanted, "d")
    world.until(wanted.id, lambda r: r.ready, "ready")
    monkeypatch.setattr("reconciler.values.inspection.LOG_MAX_BYTES", 60)

    lines = list(world.adapter.logs(wanted.id, 10))

    assert lines[-1].startswith(b"(truncated at")
    assert len(lines) == 2


def test_a_container_that_has_not_started_has_a_notice_instead_of_a_log(world: World) -> None:
    wanted = workload(1, service(image="registry.example/missing:1"))
    world.adapter.apply(wanted, "d")
    world.until(wanted.id, lambda r: r.trouble, "trouble")

    (line,) = world.adapter.logs(wanted.id, 10)

    assert b"waiting to start" in line


def test_rejected_log_requests_raise_a_sentence(world: World) -> None:
    wanted = workload(1)
    world.adapter.apply(wanted, "d")
    world.until(wanted.id, lambda r: r.ready, "ready")
    inner(world).faults.add(ClusterFault(status=401))

    with pytest.raises(OSError, match="refresh the kubeconfig"):
        list(world.adapter.logs(wanted.id, 10))
