"""What is kept of removed workloads, and when it is deleted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.adapter import KubernetesAdapter
from reconciler.adapters.kubernetes.cluster_observer import ClusterTarget
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.devnet.cluster.faults import ClusterFault
from reconciler.values.clusters import LeaseIsolation
from reconciler.values.desired import Workload
from reconciler.values.outcomes import Done, Failed, Refused
from reconciler.values.resources import MB
from reconciler.values.specification import ServiceVolume
from reconciler.values.volumes import KeptVolumes
from tests.contracts.adapter_backends import (
    QUOTA,
    ClusterBackend,
    close_cluster,
    eventually,
    service,
    simulated_cluster,
    workload,
)


def stateful() -> Workload:
    return workload(1, service(volumes=(ServiceVolume("data", 64 * MB, "/data", "beta2"),)))


def kept(backend: ClusterBackend) -> tuple[KeptVolumes, ...]:
    return backend.adapter.observe().kept_volumes


@pytest.mark.parametrize("isolation", LeaseIsolation)
def test_volumes_are_deleted_after_their_grace(tmp_path: Path, isolation: LeaseIsolation) -> None:
    backend = simulated_cluster(tmp_path, isolation)
    cluster: SimulatedCluster | None = backend.cluster
    assert cluster is not None
    wanted = stateful()
    try:
        backend.adapter.prepare(QUOTA)
        backend.adapter.apply(wanted, "d")
        backend.until(wanted.id, lambda r: r.ready, "ready")
        backend.adapter.remove(wanted.id)
        backend.until_gone(wanted.id)
        eventually(lambda: kept(backend), "kept volumes")
        assert isinstance(backend.adapter.remove(wanted.id), Done)
        assert len(cluster.objects("persistentvolumeclaims")) == 1

        late = replace(backend.adapter._settings, volume_grace_seconds=0)
        backend.adapter._settings = backend.adapter._observer._settings = late
        backend.adapter._observer._workloads = None
        backend.until(wanted.id, lambda r: r.lease == wanted.lease and not r.removing, "to be removed")
        backend.adapter.remove(wanted.id)

        backend.until_gone(wanted.id)
        assert not kept(backend)
        eventually(lambda: not cluster.objects("persistentvolumeclaims"), "no claims")
    finally:
        close_cluster(backend)


@pytest.mark.parametrize("isolation", LeaseIsolation)
def test_an_apply_after_a_change_of_isolation_leaves_claims_alone(
    tmp_path: Path, isolation: LeaseIsolation
) -> None:
    """It starts no volumes empty, and an apply without volumes neither releases nor deletes claims."""
    backend = simulated_cluster(tmp_path, isolation)
    cluster, wanted = backend.cluster, stateful()
    assert cluster is not None
    backend.adapter.prepare(QUOTA)
    assert backend.adapter.apply(wanted, "d") == Done()
    backend.until(wanted.id, lambda r: r.ready, "ready")
    backend.adapter.close()
    (other,) = set(LeaseIsolation) - {isolation}
    settings = replace(backend.adapter._settings, isolation=other, volume_grace_seconds=0)
    adapter = KubernetesAdapter(ClusterTarget(Kubeconfig(backend.kubeconfig), settings), lambda: None)
    adapter.start()
    adapter.observe()
    try:
        before = cluster.objects("persistentvolumeclaims")
        refused = adapter.apply(wanted, "d")
        assert isinstance(refused, Refused)
        assert refused.reason == "VolumesDiffer"
        assert len(cluster.objects("statefulsets")) == 1
        assert adapter.apply(workload(1), "e") == Done()
        assert cluster.objects("persistentvolumeclaims") == before
    finally:
        adapter.close()
        close_cluster(backend)


def test_a_removal_that_stops_midway_leaves_its_claims_released(tmp_path: Path) -> None:
    backend = simulated_cluster(tmp_path)
    cluster, wanted = backend.cluster, stateful()
    assert cluster is not None
    try:
        backend.adapter.prepare(QUOTA)
        backend.adapter.apply(wanted, "d")
        eventually(lambda: cluster.objects("persistentvolumeclaims"), "a claim")
        cluster.faults.add(
            ClusterFault(status=403, verbs=frozenset({"list"}), plurals=frozenset({"services"}))
        )
        assert isinstance(backend.adapter.remove(wanted.id), Failed)
        (claim,) = cluster.objects("persistentvolumeclaims")
        assert claim["metadata"]["annotations"][naming.RELEASED]
    finally:
        close_cluster(backend)
