"""The contract of clusters for persistent volumes: claims outlive pods, pauses, and for a grace the lease."""

from __future__ import annotations

from typing import Any

from reconciler.values.desired import Service
from reconciler.values.ids import WorkloadId
from reconciler.values.outcomes import Done
from reconciler.values.resources import MB
from reconciler.values.specification import ServiceVolume
from reconciler.values.volumes import PersistentVolume
from tests.contracts.adapter_backends import ClusterBackend, eventually, service, workload

SIZE = 256 * MB


def stateful(**more: Any) -> Service:
    return service(volumes=(ServiceVolume("data", SIZE, "/data", "beta2"),), **more)


def claims(cluster: ClusterBackend, subject: WorkloadId) -> dict[str, str]:
    """The names and uids of the claims of a workload."""
    found = cluster.get("pvc", "-l", f"virtengine.com/workload={subject}", space=cluster.home(subject))
    return {each["metadata"]["name"]: each["metadata"]["uid"] for each in found["items"]}


def test_claims_are_kept_through_change_pause_and_resume(cluster: ClusterBackend) -> None:
    wanted = workload(191, stateful(count=2))
    assert cluster.adapter.apply(wanted, "1") == Done()
    found = cluster.until(wanted.id, lambda r: r.ready, "ready")
    assert (found.replicas_ready, found.drifted, found.trouble) == (2, False, None)
    assert found.volumes == (("web", (PersistentVolume("data", "beta2", SIZE),)),)
    kept = claims(cluster, wanted.id)
    assert len(kept) == 2

    changed = workload(191, stateful(count=2, args=("again",)))
    paused = workload(191, stateful(count=2, args=("again",)), paused=True)
    cluster.adapter.apply(changed, "2")
    cluster.until(wanted.id, lambda r: r.ready and r.digest == "2", "changed")
    cluster.adapter.apply(paused, "3")
    cluster.until(wanted.id, lambda r: r.paused and not r.replicas_ready, "paused")
    cluster.adapter.apply(changed, "4")
    cluster.until(wanted.id, lambda r: r.ready and r.digest == "4" and not r.drifted, "resumed")

    assert claims(cluster, wanted.id) == kept
    cluster.adapter.remove(wanted.id)


def test_claims_of_a_removed_workload_are_kept_and_used_again(cluster: ClusterBackend) -> None:
    wanted = workload(192, stateful())
    cluster.adapter.apply(wanted, "1")
    cluster.until(wanted.id, lambda r: r.ready, "ready")
    kept, before = claims(cluster, wanted.id), dict(cluster.capacity().volumes)["beta2"]

    assert isinstance(cluster.adapter.remove(wanted.id), Done)

    cluster.until_gone(wanted.id)
    eventually(lambda: dict(cluster.capacity().volumes)["beta2"] == before - SIZE, "less to promise")
    (left,) = [v for v in cluster.adapter.observe().kept_volumes if v.workload == wanted.id]
    assert (left.lease, left.size_bytes) == (wanted.lease, SIZE)
    cluster.adapter.apply(wanted, "2")
    cluster.until(wanted.id, lambda r: r.ready, "ready again")
    assert claims(cluster, wanted.id) == kept
    eventually(lambda: dict(cluster.capacity().volumes)["beta2"] == before, "none kept")
    cluster.adapter.remove(wanted.id)


def test_a_class_that_is_not_in_the_cluster_is_not_offered(cluster: ClusterBackend) -> None:
    assert {name for name, _ in cluster.capacity().volumes} == {"beta2"}
    volume = ServiceVolume("data", SIZE, "/data", "beta3")

    trouble = cluster.trouble_of(workload(193, service(volumes=(volume,))))

    assert trouble.reason == "VolumePending"
