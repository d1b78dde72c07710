"""Host names and leased addresses on a cluster: made, changed, repaired, removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import pytest

from reconciler.adapters.kubernetes.adapter import KubernetesAdapter
from reconciler.adapters.kubernetes.cluster_observer import ClusterTarget
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.values.addresses import AddressKind
from reconciler.values.clusters import IngressController, IngressSettings, KubernetesSettings, LeasedIpPool
from reconciler.values.desired import Port
from reconciler.values.outcomes import Done
from tests.contracts.adapter_backends import QUOTA, ClusterBackend, service, workload

CLASS = """
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
"""
KINDS = {IngressController.NGINX: "ingress", IngressController.GATEWAY: "httproute"}
PORTS = (
    Port(8080, 80, public=True, hosts=("shop.example.com",)),
    Port(5353, 53, "UDP", public=True, ip="myip"),
)


@dataclass
class NamedCluster(ClusterBackend):
    """A cluster whose adapter has an ingress controller and a pool."""

    ingress: IngressController = IngressController.NGINX


@pytest.fixture(scope="module", params=list(IngressController))
def named(cluster: ClusterBackend, request: pytest.FixtureRequest) -> Iterator[NamedCluster]:
    if cluster.cluster is None and request.param is IngressController.GATEWAY:
        pytest.skip("a real control plane has no Gateway API")
    cluster.kubectl("apply", "-f", "-", stdin=CLASS)
    ingress = IngressSettings(request.param, "nginx", "apps.example.com", "ingress-nginx", "infra")
    settings = KubernetesSettings(
        namespace=f"{cluster.namespace}-{request.param}",
        ingress=ingress,
        leased_ips=LeasedIpPool("tenants", 4),
    )
    adapter = KubernetesAdapter(ClusterTarget(Kubeconfig(cluster.kubeconfig), settings), lambda: None)
    adapter.start()
    given = {each.name: getattr(cluster, each.name) for each in fields(cluster)}
    backend = NamedCluster(
        **given | {"namespace": settings.namespace, "adapter": adapter}, ingress=request.param
    )
    try:
        assert adapter.prepare(QUOTA) == Done(f"quota {QUOTA.describe()}")
        yield backend
    finally:
        adapter.close()
        cluster.kubectl("delete", "namespace", settings.namespace, "--wait=false")


def test_a_workload_is_reached_under_its_host_names_and_addresses(named: NamedCluster) -> None:
    wanted = workload(301, service(ports=PORTS))
    assert named.adapter.apply(wanted, "d") == Done()
    found = named.until(wanted.id, lambda r: r.ready and r.addresses, "ready")
    assert not found.drifted
    hosts = {each.host for each in found.addresses if each.kind is AddressKind.HOST_NAME}
    assert hosts == {"shop.example.com", f"web-{wanted.id}.apps.example.com"}
    leased = [each for each in found.addresses if each.kind is AddressKind.LEASED_IP]
    if named.cluster is not None:
        assert [(each.port, each.external_port, each.protocol) for each in leased] == [(5353, 53, "UDP")]

    kind = KINDS[named.ingress]
    named.kubectl("delete", kind, f"web-{wanted.id}")
    named.until(wanted.id, lambda r: r.drifted, "drift")
    assert named.adapter.apply(wanted, "d") == Done()
    named.until(wanted.id, lambda r: r.ready and not r.drifted, "repaired")

    plain = workload(301, service(ports=PORTS[1:]))
    assert named.adapter.apply(plain, "plain") == Done()
    named.until(wanted.id, lambda r: r.digest == "plain" and not r.drifted, "without a host name")
    assert named.get(kind)["items"] == []

    assert named.adapter.remove(wanted.id) == Done("removal requested")
    named.until_gone(wanted.id)
    assert named.objects_of(wanted.id) == []


def test_what_earlier_settings_made_is_removed(named: NamedCluster) -> None:
    wanted = workload(302, service(ports=PORTS))
    assert named.adapter.apply(wanted, "d") == Done()
    named.until(wanted.id, lambda r: r.ready, "ready")

    settings = KubernetesSettings(namespace=named.namespace)
    target = ClusterTarget(Kubeconfig(named.kubeconfig), settings)
    after = replace(named, adapter=KubernetesAdapter(target, lambda: None))
    assert isinstance(after.adapter, KubernetesAdapter)
    after.adapter.start()
    try:
        assert after.adapter.apply(wanted, "later") == Done()
        found = after.until(wanted.id, lambda r: r.digest == "later" and r.ready, "as plain ports")
        assert {each.kind for each in found.addresses} == {AddressKind.PORT}
        kinds = f"{KINDS[named.ingress]},svc"
        names = [each["metadata"]["name"] for each in after.get(kinds)["items"]]
        assert sorted(names) == [f"web-{wanted.id}", f"web-{wanted.id}-np"]
        after.adapter.remove(wanted.id)
        after.until_gone(wanted.id)
    finally:
        after.adapter.close()
