"""Behaviour that only a simulated cluster can provoke; tests/contracts covers every cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.adapters.kubernetes.adapter import KubernetesAdapter
from reconciler.adapters.kubernetes.cluster_observer import ClusterObserver, ClusterTarget
from reconciler.adapters.kubernetes.cluster_queries import overheads
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.adapters.kubernetes.views import NodeView
from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.devnet.cluster.faults import ClusterFault
from reconciler.values.clusters import KubernetesSettings, LeaseIsolation
from reconciler.values.gpus import GpuModel
from reconciler.values.ids import WorkloadId
from reconciler.values.outcomes import Done, Failed
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import Resources
from tests.contracts.adapter_backends import (
    EXPOSED,
    ClusterBackend,
    close_cluster,
    open_cluster,
    service,
    simulated_cluster,
    workload,
)

LABELLED = """
apiVersion: v1
kind: Namespace
metadata: {{name: {name}, labels: {{{labels}}}}}
"""
QUOTA = Resources(16_000, 32 << 30, 64 << 30, 0)


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[ClusterBackend]:
    made = simulated_cluster(tmp_path)
    made.adapter.prepare(QUOTA)
    yield made
    close_cluster(made)


def inner(backend: ClusterBackend) -> SimulatedCluster:
    assert backend.cluster is not None
    return backend.cluster


@pytest.mark.parametrize(
    ("status", "reason"), [(401, "AuthFailure"), (403, "Forbidden"), (500, "ClusterError")]
)
def test_an_action_that_the_cluster_rejects_can_be_retried(
    backend: ClusterBackend, status: int, reason: str
) -> None:
    inner(backend).faults.add(ClusterFault(status=status))
    wanted = workload(1, service(ports=EXPOSED))

    outcomes = [
        backend.adapter.prepare(QUOTA),
        backend.adapter.apply(wanted, "d"),
        backend.adapter.remove(wanted.id),
    ]

    assert [type(outcome) for outcome in outcomes] == [Failed] * 3
    assert [outcome.reason for outcome in outcomes if isinstance(outcome, Failed)] == [reason] * 3


def test_a_partial_apply_is_completed_by_the_next(backend: ClusterBackend) -> None:
    wanted = workload(1, service(ports=EXPOSED), service("db"))
    inner(backend).faults.add(ClusterFault(verbs=frozenset({"patch"}), plurals=frozenset({"deployments"})))
    assert isinstance(backend.adapter.apply(wanted, "d"), Failed)
    half = backend.until(wanted.id, lambda r: r, "the Service alone")
    assert (half.replicas, half.ready, half.drifted) == (0, False, True)

    inner(backend).faults.clear()

    assert backend.adapter.apply(wanted, "d") == Done()
    assert not backend.until(wanted.id, lambda r: r.ready, "ready").drifted


def test_a_failing_capacity_list_does_not_prevent_repairs(tmp_path: Path) -> None:
    cluster = SimulatedCluster()
    cluster.serve()
    cluster.faults.add(ClusterFault(status=403, plurals=frozenset({"nodes"})))
    backend = open_cluster(cluster.write_kubeconfig(tmp_path / "kubeconfig"), tmp_path, None)
    backend.cluster = cluster
    try:
        view = backend.adapter.observe()
        assert isinstance(view.workloads, Seen)
        assert isinstance(view.capacity, Unseen)
        assert "403" in view.capacity.why
    finally:
        close_cluster(backend)


@pytest.mark.parametrize("plural", ["deployments", "services", "networkpolicies"])
def test_a_lagging_watch_causes_no_second_write(backend: ClusterBackend, plural: str) -> None:
    """Each cycle that does not see an applied object would apply it again."""
    inner(backend).faults.add(ClusterFault("mute", verbs=frozenset({"watch"}), plurals=frozenset({plural})))
    inner(backend).drop_watches()
    wanted = workload(1, service(ports=EXPOSED))

    backend.adapter.apply(wanted, "first")
    backend.adapter.apply(wanted, "second")

    found = backend.until(wanted.id, lambda r: r.digest == "second", "the second digest")
    assert not found.drifted
    asked = inner(backend).request_counts["patch", plural]
    for _ in range(20):
        seen = backend.running(wanted.id)
        assert seen is not None
        assert (seen.digest, seen.drifted) == ("second", False)
    assert inner(backend).request_counts["patch", plural] == asked


def test_a_written_quota_is_seen_despite_a_lagging_watch(backend: ClusterBackend) -> None:
    faults = ClusterFault("mute", verbs=frozenset({"watch"}), plurals=frozenset({"resourcequotas"}))
    inner(backend).faults.add(faults)
    inner(backend).drop_watches()
    other = Resources(8_000, 16 << 30, 32 << 30, 0)

    assert isinstance(backend.adapter.prepare(other), Done)

    assert backend.capacity().quota == other


def test_an_existing_namespace_is_used_without_permission_to_apply_it(backend: ClusterBackend) -> None:
    inner(backend).faults.add(
        ClusterFault(status=403, verbs=frozenset({"patch"}), plurals=frozenset({"namespaces"}))
    )

    assert isinstance(backend.adapter.prepare(QUOTA), Done)


@pytest.mark.parametrize(("level", "is_enough"), [("restricted", True), ("privileged", False)])
def test_an_administrators_label_of_a_namespace_stays_if_it_is_strict_enough(
    tmp_path: Path, level: str, is_enough: bool
) -> None:
    made = simulated_cluster(tmp_path)
    labels = f"pod-security.kubernetes.io/enforce: {level}"
    made.kubectl("create", "-f", "-", stdin=LABELLED.format(name=made.namespace, labels=labels))

    outcome = made.adapter.prepare(QUOTA)

    assert (outcome == Done(f"quota {QUOTA.describe()}")) is is_enough
    assert is_enough or (isinstance(outcome, Failed) and outcome.reason == "PodSecurityMissing")
    close_cluster(made)


def test_namespaces_of_leases_are_removed_after_a_return_to_the_shared_one(tmp_path: Path) -> None:
    """Those of closed leases too, which nothing is applied for."""
    apart = simulated_cluster(tmp_path, LeaseIsolation.NAMESPACE)
    assert isinstance(apart.adapter.prepare(QUOTA), Done)
    closed, served = workload(1), workload(2)
    for each in (closed, served):
        assert apart.adapter.apply(each, "d") == Done()
        apart.until(each.id, lambda r: r.ready, "ready in its own namespace")
    apart.adapter.close()
    target = ClusterTarget(Kubeconfig(apart.kubeconfig), KubernetesSettings(namespace=apart.namespace))
    adapter = KubernetesAdapter(target, lambda: None)
    shared = replace(apart, adapter=adapter, isolation=LeaseIsolation.SHARED)
    adapter.start()

    assert shared.until(closed.id, lambda r: r.lease == closed.lease, "its former namespace").drifted
    inner(apart).faults.add(
        ClusterFault(status=403, verbs=frozenset({"get"}), plurals=frozenset({"namespaces"}))
    )
    refused = adapter.remove(closed.id)
    assert isinstance(refused, Failed), "a missing permission is no absence"
    inner(apart).faults.clear()
    assert adapter.remove(closed.id) == Done("removal requested")
    assert adapter.apply(served, "d") == Done()
    shared.until_gone(closed.id)
    shared.until(served.id, lambda r: r.ready and not r.drifted and not r.removing, "ready in the shared one")
    assert [each for each in (closed.id, served.id) if inner(apart).get("namespaces", "", each)] == []
    close_cluster(shared)


def test_without_the_permission_to_list_namespaces_there_are_none(tmp_path: Path) -> None:
    made = simulated_cluster(tmp_path)
    made.adapter.close()
    inner(made).faults.add(
        ClusterFault(status=403, verbs=frozenset({"list"}), plurals=frozenset({"namespaces"}))
    )
    again = open_cluster(made.kubeconfig, tmp_path, None)
    assert isinstance(again.adapter.prepare(QUOTA), Done)
    assert again.adapter.observe().workloads == Seen({})
    again.adapter.close()
    close_cluster(made)


def test_a_look_sends_no_request(backend: ClusterBackend) -> None:
    backend.adapter.apply(workload(1), "d")
    backend.until(workload(1).id, lambda r: r.ready, "ready")
    before = sum(inner(backend).request_counts.values())

    views = [backend.adapter.observe() for _ in range(50)]

    assert sum(inner(backend).request_counts.values()) == before
    assert all(view.workloads is views[0].workloads and view.capacity is views[0].capacity for view in views)


def test_the_first_look_waits_for_the_first_list(backend: ClusterBackend) -> None:
    again = open_cluster(backend.kubeconfig, backend.scratch, None)
    try:
        assert isinstance(again.adapter.observe().workloads, Seen)
    finally:
        again.adapter.close()


class ApplyingProvider(str):
    """A provider's address during whose comparison other threads apply every workload."""

    observer: ClusterObserver
    workloads: tuple[WorkloadId, ...]

    def __bool__(self) -> bool:
        for each in self.workloads:
            self.observer.invalidate(each)
        return False


def test_applies_of_other_threads_disturb_no_look(backend: ClusterBackend) -> None:
    wanted = [workload(n, service()) for n in (1, 2)]
    for each in wanted:
        backend.adapter.apply(each, "d")
        backend.until(each.id, lambda r: r.ready, "both workloads")
    observer = backend.adapter._observer
    observer._provider = provider = ApplyingProvider()
    provider.observer, provider.workloads = observer, tuple(each.id for each in wanted)
    provider.observer.invalidate(wanted[0].id)

    for _ in range(2):
        reading = backend.adapter.observe().workloads
        assert isinstance(reading, Seen)
        assert set(reading.view) == {each.id for each in wanted}


def test_workloads_of_another_provider_are_ignored(backend: ClusterBackend) -> None:
    wanted = workload(1)
    backend.adapter.apply(wanted, "d")
    backend.until(wanted.id, lambda r: r.ready, "ready")
    for provider, seen in ((wanted.lease.provider, {wanted.id}), ("ve1another", set())):
        settings = KubernetesSettings(namespace=backend.namespace)
        place = ClusterTarget(Kubeconfig(backend.kubeconfig), settings, provider)
        adapter = KubernetesAdapter(place, lambda: None)
        adapter.start()
        try:
            workloads = adapter.observe().workloads
        finally:
            adapter.close()
        assert isinstance(workloads, Seen)
        assert workloads.view.keys() == seen


def test_terminating_pods_are_shown_until_they_are_gone(backend: ClusterBackend) -> None:
    wanted = workload(1)
    backend.adapter.apply(wanted, "d")
    backend.until(wanted.id, lambda r: r.ready, "ready")

    backend.adapter.remove(wanted.id)

    backend.until(wanted.id, lambda r: r.removing and not r.ready, "being removed")
    backend.until_gone(wanted.id)


def test_changes_by_the_cluster_itself_are_no_drift(backend: ClusterBackend) -> None:
    """Otherwise a webhook that rewrites images would cause repairs forever."""
    wanted = workload(1)
    backend.adapter.apply(wanted, "d")
    backend.until(wanted.id, lambda r: r.ready, "ready")
    name = f"deployment/web-{wanted.id}"
    backend.kubectl("set", "image", name, "web=mirror.example/web:1")
    drifted = backend.until(wanted.id, lambda r: r.drifted, "drift")
    assert drifted.digest == "d"

    sight = backend.adapter._observer
    deployments = sight._controllers["deployment"].read()
    assert isinstance(deployments, Seen)
    (view,) = deployments.view.values()
    sight.server_drift[backend.namespace, name] = view.drift
    sight.invalidate(wanted.id)

    assert not backend.until(wanted.id, lambda r: r, "there").drifted


def test_ranges_of_nodes_stay_denied_while_the_nodes_are_unseen(
    backend: ClusterBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer = backend.adapter._observer
    node = NodeView("n1", Resources(1), ("203.0.113.7/32",), frozenset({""}))
    monkeypatch.setattr(observer._nodes, "read", lambda: Seen({"n1": node}))
    assert "203.0.113.7/32" in observer.denied_ranges()
    monkeypatch.setattr(observer._nodes, "read", lambda: Unseen("the watch is broken"))
    assert "203.0.113.7/32" in observer.denied_ranges()
    assert observer.user_namespaces() == {""}


def test_logs_are_bounded(backend: ClusterBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = workload(1, service(count=3))
    backend.adapter.apply(wanted, "d")
    backend.until(wanted.id, lambda r: r.ready, "ready")
    monkeypatch.setattr("reconciler.values.inspection.LOG_MAX_BYTES", 60)

    lines = list(backend.adapter.logs(wanted.id, 10))

    assert lines[-1].startswith(b"(truncated at")
    assert len(lines) == 2


def test_a_container_that_has_not_started_has_a_notice_instead_of_a_log(backend: ClusterBackend) -> None:
    wanted = workload(1, service(image="registry.example/missing:1"))
    backend.adapter.apply(wanted, "d")
    backend.until(wanted.id, lambda r: r.trouble, "trouble")

    (line,) = backend.adapter.logs(wanted.id, 10)

    assert b"waiting to start" in line


def test_rejected_log_requests_raise_a_sentence(backend: ClusterBackend) -> None:
    wanted = workload(1)
    backend.adapter.apply(wanted, "d")
    backend.until(wanted.id, lambda r: r.ready, "ready")
    inner(backend).faults.add(ClusterFault(status=401))

    with pytest.raises(OSError, match="refresh the kubeconfig"):
        list(backend.adapter.logs(wanted.id, 10))


def test_nothing_is_started_before_the_nodes_are_seen_or_without_a_node_of_its_gpu_model(
    backend: ClusterBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nodes decide which protections pods get, and where GPUs of a model are."""
    web = service(gpu_models=(GpuModel("nvidia", "a100"),))
    wanted = workload(1, replace(web, resources=replace(web.resources, gpu=1)))
    failed = backend.adapter.apply(wanted, "d")
    assert isinstance(failed, Failed)
    assert (failed.reason, failed.why) == (
        "GpuModelMissing",
        "service web needs a GPU nvidia/a100, which no node's labels name",
    )
    observer = backend.adapter._observer
    observer._has_seen_nodes = False
    monkeypatch.setattr(observer._nodes, "read", lambda: Unseen("the watch is broken"))

    unseen = backend.adapter.apply(workload(2), "d")

    assert isinstance(unseen, Failed)
    assert unseen.reason == "NodesUnseen"
    assert not [*backend.objects_of(wanted.id), *backend.objects_of(workload(2).id)]


def test_the_overhead_of_a_runtime_class_is_read_where_that_is_permitted(
    backend: ClusterBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = backend.adapter
    settings = replace(adapter._settings, runtime_class="kata", gpu_runtime_class="nvidia")
    assert list(overheads(adapter._client, settings)) == [], "the simulated cluster has no RuntimeClasses"
    found = {"kata": b'{"overhead": {"podFixed": {"cpu": "250m", "memory": "1Ki"}}}', "nvidia": b"{}"}
    monkeypatch.setattr(adapter._client, "get", lambda path, _: found[path.rpartition("/")[2]])
    both = [("kata", Resources(250, 1024)), ("nvidia", Resources())]
    assert list(overheads(adapter._client, settings)) == both
    monkeypatch.undo()
    inner(backend).faults.add(ClusterFault(status=403))
    assert list(overheads(adapter._client, settings)) == []
