"""What is kept of removed workloads, and when it is deleted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.values.clusters import LeaseIsolation
from reconciler.values.desired import Workload
from reconciler.values.outcomes import Done
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
