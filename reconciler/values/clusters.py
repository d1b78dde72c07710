"""Settings of Kubernetes clusters that run workloads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from reconciler.values.adapters import AdapterKind
from reconciler.values.gpus import GpuModel
from reconciler.values.resources import Attribute


class NetworkPolicyController(StrEnum):
    """The program in a cluster that enforces NetworkPolicies; `not-enforced`: none does."""

    CALICO = "calico"
    CILIUM = "cilium"
    ANTREA = "antrea"
    KUBE_ROUTER = "kube-router"
    OTHER = "other"
    NOT_ENFORCED = "not-enforced"


class PodSecurity(StrEnum):
    """The Pod Security Standard that the namespaces of workloads enforce."""

    BASELINE = "baseline"
    RESTRICTED = "restricted"


class OptOut(StrEnum):
    """A protection of tenants' pods that an adapter's file switches off."""

    PRIVILEGE_ESCALATION = "privilege-escalation"
    SECCOMP = "seccomp"
    USER_NAMESPACES = "user-namespaces"
    IMAGE_PULL = "image-pull"


class LeaseIsolation(StrEnum):
    """Whether all workloads share one namespace, or each lease has its own."""

    SHARED = "shared"
    NAMESPACE = "namespace"


class GlobalPorts(StrEnum):
    """The type of the Service for ports with `global: true`."""

    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"


class IngressController(StrEnum):
    """What leads HTTP to services by host name: ingress-nginx, or any controller of the Gateway API."""

    NGINX = "nginx"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class IngressSettings:
    """How services are reached under host names. `name` is that of the IngressClass, or of the Gateway in
    `namespace`; `pods_namespace` is where the controller's pods run, `domain` is that of generated names.
    """

    controller: IngressController
    name: str
    domain: str
    pods_namespace: str
    namespace: str = ""

    @property
    def rendering(self) -> str:
        """What objects of workloads depend on."""
        return f"{self.controller}/{self.namespace}/{self.name}/{self.domain}/{self.pods_namespace}"


@dataclass(frozen=True, slots=True)
class LeasedIpPool:
    """The address pool that leased IPs are from, and how many addresses of it tenants may lease."""

    name: str
    count: int


@dataclass(frozen=True, slots=True, order=True)
class VolumeClass:
    """Volumes of a class of the market: of the StorageClass `name`, at most so many bytes in all."""

    storage_class: str
    name: str
    capacity_bytes: int


@dataclass(frozen=True, slots=True)
class GpuLabel:
    """A label of nodes, and the model of the GPUs of the nodes that have it."""

    key: str
    value: str
    model: GpuModel

    @property
    def label(self) -> Attribute:
        """Its key and value."""
        return self.key, self.value


@dataclass(frozen=True, slots=True)
class KubernetesSettings:
    """An adapter file of kind KubernetesAdapter; `egress_denied` are address ranges in CIDR notation. Without
    a `network_policy` nothing is started. `runtime_class` and `gpu_runtime_class` (of pods with GPUs)
    are "" for the cluster's default. `gpu_labels` name the GPUs of nodes. `public_host` is the
    name under which node ports are reached ("": that of the provider record). Persistent volumes are kept for
    `volume_grace_seconds` after their workload is removed.
    """

    kind: ClassVar[AdapterKind] = AdapterKind.KUBERNETES
    is_self_healing: ClassVar[bool] = True
    enabled: bool = True
    namespace: str = "provider-workloads"
    egress_denied: tuple[str, ...] = ()
    network_policy: NetworkPolicyController | None = None
    isolation: LeaseIsolation = LeaseIsolation.SHARED
    pod_security: PodSecurity = PodSecurity.BASELINE
    runtime_class: str = ""
    gpu_runtime_class: str = ""
    gpu_labels: tuple[GpuLabel, ...] = ()
    opt_outs: tuple[OptOut, ...] = ()
    global_ports: GlobalPorts = GlobalPorts.NODE_PORT
    public_host: str = ""
    ingress: IngressSettings | None = None
    leased_ips: LeasedIpPool | None = None
    storage_classes: tuple[VolumeClass, ...] = ()
    volume_grace_seconds: int = 259_200

    @property
    def rendering(self) -> str:
        """The settings that a workload's objects depend on, where they are not the defaults; a change applies
        them again.
        """
        default = KubernetesSettings()
        names = ("isolation", "pod_security", "runtime_class", "global_ports", "gpu_runtime_class")
        changed = {name: getattr(self, name) for name in names}
        words = [f"{name}={value}" for name, value in changed.items() if value != getattr(default, name)]
        words += [f"ingress={self.ingress.rendering}"] if self.ingress else []
        words += [f"leased_ips={self.leased_ips.name}"] if self.leased_ips else []
        gpus = (f"{each.key}={each.value}:{each.model}" for each in self.gpu_labels)
        return " ".join((*words, *sorted(self.opt_outs), *gpus))
