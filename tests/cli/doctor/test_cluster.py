"""What the doctor finds of a cluster, a simulated one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.cli.doctor.checks import CheckState
from reconciler.cli.doctor.cluster import check_cluster
from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.devnet.cluster.kinds import BY_PLURAL, Target
from reconciler.devnet.cluster.writes import WriteRequest
from reconciler.values.clusters import KubernetesSettings, NetworkPolicyController

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
