"""`adapters/<name>.yaml`: the machines that run workloads."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.documents.forms import (
    WHOLE,
    AddressRange,
    Attribute,
    Cpu,
    Directory,
    Duration,
    GpuField,
    GpuRam,
    HostAddress,
    HostName,
    ImageRule,
    IpAddress,
    Name,
    NamespacedName,
    Size,
    UserName,
)
from reconciler.documents.model import FileModel, StrictModel

PortNumber = Annotated[int, Field(ge=1, le=65_535), WHOLE]
OptOutName = Literal["privilege-escalation", "seccomp", "user-namespaces", "image-pull"]
NetworkPolicyName = Literal["calico", "cilium", "antrea", "kube-router", "other", "not-enforced"]


class AdapterFile(FileModel):
    """An adapter file whose kind is unknown; its other keys depend on the kind."""

    model_config = ConfigDict(extra="ignore")

    kind: Literal["KubernetesAdapter", "AnsibleAdapter"]
    """KubernetesAdapter or AnsibleAdapter."""


class IngressModel(StrictModel):
    """How services are reached by HTTP under host names."""

    controller: Literal["nginx", "gateway"] = "nginx"
    """nginx: ingress-nginx, with an Ingress for each service; gateway: any controller of the Gateway API,
    with HTTPRoutes. HTTP options of a tenant need nginx.
    """
    ingress_class: Name = Field(default="nginx", alias="class")
    """IngressClass, with controller: nginx."""
    gateway: NamespacedName | None = None
    """Gateway, "namespace/name", with controller: gateway. It must admit routes from the namespaces of
    workloads.
    """
    pods_namespace: Name | None = None
    """Namespace of the controller's pods, the only ones that may reach HTTP ports of tenants; default:
    ingress-nginx, or that of the Gateway.
    """
    domain: HostName
    """Domain of the generated host names: one for each service, SERVICE-WORKLOAD.DOMAIN. A wildcard record
    *.DOMAIN must lead to the controller; no tenant gets another name in it.
    """

    @model_validator(mode="after")
    def _has_gateway(self) -> Self:
        if (self.controller == "gateway") != (self.gateway is not None):
            raise PydanticCustomError(
                "ingress_gateway", "controller: gateway needs `gateway`, nginx has none"
            )
        return self


class LeasedIpsModel(StrictModel):
    """IP addresses that tenants lease."""

    pool: Name
    """IPAddressPool of MetalLB that they are from; it should be for nothing else."""
    count: Annotated[int, Field(ge=1, le=65_536), WHOLE]
    """Number of addresses that may be leased at a time."""


class GpuLabelModel(StrictModel):
    """GPUs of the nodes that have a label."""

    label: Attribute
    """Label of the nodes: "cloud.google.com/gke-accelerator=nvidia-tesla-t4"."""
    model: GpuField
    """Model, as orders name it: t4."""
    ram: GpuRam | None = None
    """RAM, such as 16Gi; without it, orders that name a RAM do not run there."""
    interface: GpuField | None = None
    """Interface: pcie or sxm; without it, orders that name an interface do not run there."""


class StorageClassModel(StrictModel):
    """Persistent volumes of one class."""

    storage_class: Literal["default", "beta1", "beta2", "beta3"] = Field(alias="class")
    """Class that orders name: default, beta1, beta2 or beta3."""
    name: Name
    """StorageClass in the cluster; without it, nothing of this class is bid on."""
    capacity: Size
    """Size of all volumes of this class together: "2Ti"."""


class KubernetesFile(FileModel):
    """A Kubernetes cluster that runs workloads. The host file sets its kubeconfig, at the adapter's name.
    Changes apply at once.
    """

    kind: Literal["KubernetesAdapter"] = "KubernetesAdapter"
    """KubernetesAdapter."""
    enabled: bool = True
    """false: apply and remove nothing."""
    namespace: Name = "provider-workloads"
    """Namespace of all workloads."""
    egress_denied: Annotated[list[AddressRange], Field(max_length=100)] = Field(default=[])
    """Address ranges denied to workloads in addition to private, link-local and carrier-grade NAT ones:
    public addresses of nodes, of the API server, of your own network.
    """
    isolation: Literal["shared", "namespace"] = "shared"
    """shared: all workloads in `namespace`; namespace: each lease in a namespace of its own, named after its
    workload.
    """
    pod_security: Literal["baseline", "restricted"] = "baseline"
    """Pod Security Standard that the namespaces enforce. restricted: containers must not run as root, which
    most public images do.
    """
    opt_outs: Annotated[list[OptOutName], Field(max_length=4)] = Field(default=[])
    """Protections of tenants' pods that are switched off. "privilege-escalation": programs such as sudo may
    gain rights; "seccomp": the runtime's default profile is not set; "user-namespaces": root in a container
    is root of the node; "image-pull": cached images are used without asking their registry.
    """
    runtime_class: Name | None = None
    """RuntimeClass of tenants' pods, such as one of gVisor or Kata; default: the cluster's."""
    gpu_runtime_class: Name | None = None
    """RuntimeClass of tenants' pods with GPUs, such as "nvidia"; default: `runtime_class`."""
    gpu_labels: Annotated[list[GpuLabelModel], Field(max_length=100)] = Field(default=[])
    """Models of the GPUs of nodes, by labels; needed where neither NVIDIA's GPU feature discovery nor AMD's
    node labeller runs, or to correct them. The first label that a node has counts.
    """
    global_ports: Literal["NodePort", "LoadBalancer"] = "NodePort"
    """Type of the Service for ports with `global: true`."""
    public_host: HostAddress | None = None
    """Name or IP address of the nodes, under which tenants reach NodePorts; default: the host of the provider
    record's host_uri.
    """
    ingress: IngressModel | None = None
    """How services are reached by HTTP under host names; without it, orders with HTTP on port 80 get no bid.
    """
    leased_ips: LeasedIpsModel | None = None
    """IP addresses that tenants lease; without it, orders of them get no bid."""
    storage_classes: Annotated[list[StorageClassModel], Field(max_length=4)] = Field(default=[])
    """Persistent volumes; without a class, orders that need it are not bid on."""
    volume_grace: Duration = "72h"
    """How long persistent volumes are kept after their workload is removed."""
    network_policy: NetworkPolicyName | None = None
    """What enforces NetworkPolicies in the cluster; k3s and RKE2 have it built in: "other". "not-enforced":
    nothing does, and tenants reach each other and your network. Without this key nothing is started.
    """

    @model_validator(mode="after")
    def _classes_differ(self) -> Self:
        named = [each.storage_class for each in self.storage_classes]
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise PydanticCustomError("classes_twice", "duplicate class {name}", {"name": twice[0]})
        return self

    @model_validator(mode="after")
    def _is_admitted(self) -> Self:
        """The restricted standard demands both."""
        denied = sorted({"privilege-escalation", "seccomp"} & set(self.opt_outs))
        if self.pod_security == "restricted" and denied:
            message = "opt_outs: {name} is not allowed with pod_security: restricted"
            raise PydanticCustomError("opt_out_restricted", message, {"name": denied[0]})
        return self


class HostCapacityModel(StrictModel):
    """Resources of a host for workloads."""

    cpu: Cpu
    """CPU in millicores ("8000m") or whole cores (8)."""
    memory: Size
    """Memory, such as "16Gi"."""
    storage: Size
    """Storage, such as "200Gi"."""
    gpu: Annotated[int, Field(ge=0, le=64), WHOLE] = 0
    """Number of GPUs."""


class AnsibleHostModel(StrictModel):
    """One host."""

    name: Name
    """Unique name of the host in conditions and logs."""
    address: HostAddress
    """Name or IP address for SSH; "localhost" is this machine, without SSH."""
    port: PortNumber = 22
    """SSH port."""
    capacity: HostCapacityModel | None = None
    """Resources for workloads; default: the group's, else all that the host reports."""
    attributes: Annotated[list[Attribute], Field(max_length=50)] = Field(default=[])
    """Attributes in addition to the group's: "region=eu"."""


class AnsibleGroupModel(StrictModel):
    """Hosts with the same access; observed together in one run."""

    name: Name
    """The group's name."""
    user: UserName | None = None
    """SSH user; default: the daemon's user name."""
    sudo: bool = False
    """true: become root by passwordless sudo; false: rootless containers of the user."""
    engine: Literal["podman", "docker"] = "podman"
    """Container engine: podman or docker."""
    capacity: HostCapacityModel | None = None
    """Resources of each host for workloads; default: all that the host reports."""
    attributes: Annotated[list[Attribute], Field(max_length=50)] = Field(default=[])
    """Attributes of each host of the group: "region=eu"."""
    hosts: Annotated[list[AnsibleHostModel], Field(min_length=1, max_length=500)]
    """The hosts."""


class PortRangeModel(StrictModel):
    """Range of ports on a host for tenants."""

    lowest: PortNumber = 1
    """The lowest."""
    highest: PortNumber = 65_535
    """The highest."""


class AnsibleNetworkModel(StrictModel):
    """Public ports."""

    address: IpAddress = "0.0.0.0"  # noqa: S104  # public ports are for everyone
    """Listen address of public ports on the hosts."""
    ports: PortRangeModel = PortRangeModel()
    """Ports for tenants; exclude those of your own programs."""


class AnsibleStorageModel(StrictModel):
    """Storage on the hosts."""

    path: Directory = "/var/lib/provider-workloads"
    """Directory for the adapter's records on each host."""
    quota: bool = False
    """true: the engine's storage enforces sizes (overlay on xfs with project quotas)."""


class IsolationModel(StrictModel):
    """Isolation of tenants, in addition to separate networks and resource limits."""

    processes: Annotated[int, Field(ge=16, le=1_000_000), WHOLE] = 1_024
    """Limit of processes and threads per container."""
    read_only_images: list[ImageRule] = Field(default=[])
    """Images that write only to /tmp, /run and volumes, and get a read-only root file system. Equivalent to
    the image label virtengine.com/read-only-root=true.
    """


class ConcurrencyModel(StrictModel):
    """Concurrency."""

    runs: Annotated[int, Field(ge=1, le=64), WHOLE] = 4
    """Concurrent Ansible runs that apply or remove."""
    forks: Annotated[int, Field(ge=1, le=500), WHOLE] = 10
    """Concurrent hosts within one run."""


class TimeoutsModel(StrictModel):
    """Timeouts."""

    connect: Duration = "10s"
    """Connecting."""
    look: Duration = "60s"
    """Observing a group."""
    apply: Duration = "10m"
    """Applying or removing, including image pulls."""
    stop: Duration = "10s"
    """Grace period of a stopping container."""
    stale: Duration = "90s"
    """Age of an observation after which its host counts as unseen."""


class AnsibleFile(FileModel):
    """Hosts that run containers, through Ansible. The host file sets keys and passwords, at the adapter's
    name. Changes apply at once.
    """

    kind: Literal["AnsibleAdapter"] = "AnsibleAdapter"
    """AnsibleAdapter."""
    enabled: bool = False
    """true: run workloads on these hosts."""
    groups: Annotated[list[AnsibleGroupModel], Field(max_length=100)] = Field(default=[])
    """The hosts."""
    network: AnsibleNetworkModel = AnsibleNetworkModel()
    """Public ports of workloads."""
    storage: AnsibleStorageModel = AnsibleStorageModel()
    """The adapter's storage on the hosts."""
    isolation: IsolationModel = IsolationModel()
    """Isolation of tenants."""
    concurrency: ConcurrencyModel = ConcurrencyModel()
    """Concurrent runs and hosts."""
    look_every: Duration = "10s"
    """Pause between two observations."""
    timeouts: TimeoutsModel = TimeoutsModel()
    """Timeouts of runs."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [host.name for group in self.groups for host in group.hosts]
        names += [group.name for group in self.groups]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PydanticCustomError("names_twice", "duplicate name {name}", {"name": twice[0]})
        return self
