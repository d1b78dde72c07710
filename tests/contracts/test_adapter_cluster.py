"""The contract of the Adapter port for clusters only: quota, foreign fields, versions, policies."""

from __future__ import annotations

import pytest

from reconciler.adapters.kubernetes.naming import POLICY_NAME
from reconciler.values.desired import Port
from reconciler.values.ids import WorkloadId
from reconciler.values.outcomes import Done
from tests.contracts.adapter_backends import EXPOSED, QUOTA, ClusterBackend, eventually, service, workload


def test_preparing_again_writes_nothing(cluster: ClusterBackend) -> None:
    eventually(lambda: cluster.capacity().quota == QUOTA, "the quota in force")
    before = cluster.get("resourcequota", "provider-capacity")["metadata"]["resourceVersion"]

    assert isinstance(cluster.adapter.prepare(QUOTA), Done)

    assert cluster.get("resourcequota", "provider-capacity")["metadata"]["resourceVersion"] == before


def test_a_changed_quota_is_applied_again(cluster: ClusterBackend) -> None:
    patch = '{"spec":{"hard":{"requests.cpu":"1"}}}'
    cluster.kubectl("patch", "resourcequota", "provider-capacity", "--type=merge", "-p", patch)
    eventually(lambda: cluster.capacity().quota != QUOTA, "the changed quota")

    assert isinstance(cluster.adapter.prepare(QUOTA), Done)

    eventually(lambda: cluster.capacity().quota == QUOTA, "our quota again")


def test_foreign_annotations_are_kept(cluster: ClusterBackend) -> None:
    wanted = workload(165)
    cluster.adapter.apply(wanted, "d")
    cluster.until(wanted.id, lambda r: r.ready, "ready")

    cluster.kubectl("annotate", f"deployment/web-{wanted.id}", "team=blue")
    cluster.adapter.apply(wanted, "d")

    assert not cluster.until(wanted.id, lambda r: r.ready, "ready").drifted
    notes = cluster.get("deployment", f"web-{wanted.id}")["metadata"]["annotations"]
    assert notes["team"] == "blue"


def test_a_compacted_version_is_listed_again(cluster: ClusterBackend) -> None:
    if cluster.forget is None:
        pytest.skip("this cluster has no restart-apiserver beside its kubeconfig")
    wanted = workload(176)
    cluster.adapter.apply(wanted, "before")
    cluster.until(wanted.id, lambda r: r.ready, "ready")

    cluster.forget()

    cluster.adapter.apply(wanted, "after")
    cluster.until(wanted.id, lambda r: r.digest == "after" and r.ready, "the change after it")
    cluster.adapter.remove(wanted.id)
    cluster.until_gone(wanted.id)


def test_only_public_ports_get_a_node_port(
    cluster: ClusterBackend,
) -> None:
    public = workload(177, service(ports=(Port(80, public=True), Port(5432))))
    internal = workload(177, service(ports=(Port(80), Port(5432))))
    name = f"web-{public.id}"

    for digest, wanted in (("1", internal), ("2", public), ("3", internal)):
        cluster.adapter.apply(wanted, digest)
        until_applied(cluster, wanted.id, digest)
        services = cluster.get("svc", "-l", f"virtengine.com/workload={public.id}")["items"]
        ports = {
            each["metadata"]["name"]: {p["port"]: "nodePort" in p for p in each["spec"]["ports"]}
            for each in services
        }
        outside = {f"{name}-np": {80: True}} if wanted is public else {}
        assert ports == {name: {80: False, 5432: False}} | outside
        running = cluster.until(wanted.id, lambda r: r.digest, "its objects")
        assert {(each.kind, each.port) for each in running.addresses} == {("port", 80) for _ in outside}


def test_a_service_changed_to_a_node_port_is_repaired(cluster: ClusterBackend) -> None:
    wanted = workload(178, service(ports=EXPOSED))
    cluster.adapter.apply(wanted, "d")
    cluster.until(wanted.id, lambda r: r.ready, "ready")
    cluster.kubectl("patch", "service", f"web-{wanted.id}", "-p", '{"spec":{"type":"NodePort"}}')
    cluster.until(wanted.id, lambda r: r.drifted, "drift")

    assert cluster.adapter.apply(wanted, "d") == Done()

    cluster.until(wanted.id, lambda r: r.ready and not r.drifted, "repaired")
    spec = cluster.get("service", f"web-{wanted.id}")["spec"]
    assert spec["type"] == "ClusterIP"
    assert all("nodePort" not in port for port in spec["ports"])


@pytest.mark.parametrize(("kind", "dseq"), [("open", 179), ("unguarded", 180)])
def test_a_changed_or_deleted_policy_is_repaired(cluster: ClusterBackend, kind: str, dseq: int) -> None:
    wanted = workload(dseq)
    cluster.adapter.apply(wanted, "d")
    cluster.until(wanted.id, lambda r: r.ready, "ready")
    applied = cluster.get("netpol", f"web-{wanted.id}")["spec"]

    cluster.modify(kind, wanted.id)
    cluster.until(wanted.id, lambda r: r.drifted, "drift")
    assert cluster.adapter.apply(wanted, "d") == Done()

    cluster.until(wanted.id, lambda r: r.ready and not r.drifted, "repaired")
    assert cluster.get("netpol", f"web-{wanted.id}")["spec"] == applied


def until_applied(cluster: ClusterBackend, subject: WorkloadId, digest: str) -> None:
    found = cluster.until(subject, lambda r: r.ready and r.digest == digest, f"ready as {digest}")
    assert not found.drifted


OPEN = '{"spec":{"ingress":[{}]}}'


@pytest.mark.parametrize("command", [("delete", "netpol"), ("patch", "netpol", "--type=merge", "-p", OPEN)])
def test_the_base_policy_is_applied_again_with_the_quota(
    cluster: ClusterBackend, command: tuple[str, ...]
) -> None:
    eventually(lambda: cluster.capacity().quota == QUOTA, "the quota in force")
    applied = cluster.get("netpol", POLICY_NAME)["spec"]
    cluster.kubectl(*command, POLICY_NAME)
    eventually(lambda: cluster.capacity().quota is None, "not prepared any more")

    assert isinstance(cluster.adapter.prepare(QUOTA), Done)

    eventually(lambda: cluster.capacity().quota == QUOTA, "prepared again")
    assert cluster.get("netpol", POLICY_NAME)["spec"] == applied
