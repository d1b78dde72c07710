"""What the doctor finds of a cluster, a simulated one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.cli.doctor.checks import CheckState
from reconciler.cli.doctor.cluster import check_cluster
from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.devnet.cluster.kinds import BY_PLURAL, Target
from reconciler.devnet.cluster.writes import WriteRequest
from reconciler.values.clusters import (
    IngressController,
    IngressSettings,
    KubernetesSettings,
    NetworkPolicyController,
)

AGENT: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "agent", "labels": {"k8s-app": "calico-node"}},
    "spec": {"containers": [{"name": "agent", "image": "registry.example/agent:1"}]},
}


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cluster with Calico."""
    made = SimulatedCluster()
    made.serve()
    pods = Target(BY_PLURAL["pods"], "kube-system")
    made.writes.create(pods, AGENT, WriteRequest())
    yield made.write_kubeconfig(tmp_path_factory.mktemp("cluster") / "kubeconfig")
    made.close()


@pytest.mark.parametrize(
    ("named", "state", "message"),
    [
        (None, CheckState.WRONG, "nothing is started there"),
        (NetworkPolicyController.CALICO, CheckState.OK, "calico enforces"),
        (NetworkPolicyController.CILIUM, CheckState.WRONG, "no pods with k8s-app=cilium"),
        (NetworkPolicyController.ANTREA, CheckState.WRONG, "no pods with app=antrea,component=antrea-agent"),
        (NetworkPolicyController.OTHER, CheckState.OK, "not checked"),
        (NetworkPolicyController.NOT_ENFORCED, CheckState.WARN, "tenants reach each other"),
    ],
)
def test_the_named_controller_is_looked_for(
    kubeconfig: Path, named: NetworkPolicyController | None, state: CheckState, message: str
) -> None:
    wanted = KubernetesSettings(network_policy=named)
    (found,) = [each for each in check_cluster(Kubeconfig(kubeconfig), wanted) if each.check == "network"]
    assert (found.state, message in found.message) == (state, True), found
    assert state is CheckState.OK or found.advice


INGRESS = IngressSettings(IngressController.NGINX, "public", "apps.example.com", "ingress-nginx")


def created(cluster: SimulatedCluster, plural: str, namespace: str, name: str, **more: Any) -> None:
    labels = {naming.MANAGED_BY: naming.MANAGER, naming.WORKLOAD: "w"} if more.pop("ours", False) else {}
    kind = BY_PLURAL[plural]
    version = kind.group_version
    body = {"apiVersion": version, "kind": kind.name, "metadata": {"name": name, "labels": labels}, **more}
    cluster.writes.create(Target(kind, namespace), body, WriteRequest())


def test_leftovers_foreign_objects_and_a_missing_ingress_class_are_listed(tmp_path: Path) -> None:
    made = SimulatedCluster()
    made.serve()
    access = Kubeconfig(made.write_kubeconfig(tmp_path / "kubeconfig"))
    for name in ("provider-workloads", "former"):
        created(made, "namespaces", "", name)

    def found(settings: KubernetesSettings) -> dict[str, list[tuple[CheckState, str]]]:
        results: dict[str, list[tuple[CheckState, str]]] = {}
        for each in check_cluster(access, settings):
            results.setdefault(each.check, []).append((each.state, each.message))
        return results

    (clean,) = found(KubernetesSettings())["leftovers"]
    assert clean[0] is CheckState.OK
    created(made, "pods", "former", "p", ours=True, spec=AGENT["spec"])
    created(made, "ingresses", "provider-workloads", "web", ours=True, spec={"rules": []})
    created(made, "services", "provider-workloads", "stranger", spec={"ports": [{"port": 1}]})
    former, foreign = found(KubernetesSettings())["leftovers"]
    assert "namespace/former, ingress/web" in former[1]
    assert "service/stranger" in foreign[1]
    named = found(KubernetesSettings(ingress=INGRESS))
    assert "ingress/web" not in named["leftovers"][0][1]
    assert named["ingress"][0][0] is CheckState.WRONG
    created(made, "ingressclasses", "", "public", spec={"controller": "k8s.io/ingress-nginx"})
    assert found(KubernetesSettings(ingress=INGRESS))["ingress"][0][0] is CheckState.OK
    made.close()
