"""Settings of Kubernetes clusters that run workloads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from reconciler.values.adapters import AdapterKind


class NetworkPolicyController(StrEnum):
    """The program in a cluster that enforces NetworkPolicies; `not-enforced`: none does."""

    CALICO = "calico"
    CILIUM = "cilium"
    ANTREA = "antrea"
    KUBE_ROUTER = "kube-router"
    OTHER = "other"
    NOT_ENFORCED = "not-enforced"


@dataclass(frozen=True, slots=True)
class KubernetesSettings:
    """An adapter file of kind KubernetesAdapter; `egress_denied` are address ranges in CIDR notation. Without
    a `network_policy` nothing is started.
    """

    kind: ClassVar[AdapterKind] = AdapterKind.KUBERNETES
    is_self_healing: ClassVar[bool] = True
    rendering: ClassVar[str] = ""
    enabled: bool = True
    namespace: str = "provider-workloads"
    egress_denied: tuple[str, ...] = ()
    network_policy: NetworkPolicyController | None = None
