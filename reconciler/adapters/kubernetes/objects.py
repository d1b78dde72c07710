"""The fields of Kubernetes objects that we read; decoding skips all others."""

from __future__ import annotations

from typing import Any

import msgspec


class ObjectStruct(msgspec.Struct, rename="camel", frozen=True):
    """Fields are camelCase on the wire."""


class Metadata(ObjectStruct, frozen=True):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[msgspec.Raw] | None = None


class PartialObject(ObjectStruct, frozen=True):
    """Any object, its metadata alone."""

    metadata: Metadata


class WithSpec(ObjectStruct, frozen=True):
    """Any object, its specification alone."""

    spec: dict[str, Any]


class ObjectCondition(ObjectStruct, frozen=True):
    """A condition in any status."""

    type: str
    status: str = ""
    reason: str = ""
    message: str = ""


class ResourceRequirements(ObjectStruct, frozen=True):
    requests: dict[str, str] | None = None
    limits: dict[str, str] | None = None


class Container(ObjectStruct, frozen=True):
    name: str
    resources: ResourceRequirements = ResourceRequirements()
    restart_policy: str = ""


class PodSpec(ObjectStruct, frozen=True):
    node_name: str = ""
    containers: list[Container] = []
    init_containers: list[Container] = []
    overhead: dict[str, str] | None = None


class Waiting(ObjectStruct, frozen=True):
    reason: str = ""
    message: str = ""


class Terminated(ObjectStruct, frozen=True):
    exit_code: int = 0
    reason: str = ""


class ContainerState(ObjectStruct, frozen=True):
    """Running if neither is set."""

    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(ObjectStruct, frozen=True):
    image: str = ""
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodStatus(ObjectStruct, frozen=True):
    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: list[ObjectCondition] | None = None
    container_statuses: list[ContainerStatus] | None = None


class Pod(ObjectStruct, frozen=True):
    metadata: Metadata
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class ClaimSpec(ObjectStruct, frozen=True):
    storage_class_name: str = ""
    resources: ResourceRequirements = ResourceRequirements()


class PersistentVolumeClaim(ObjectStruct, frozen=True):
    """A claim, or the template of one."""

    metadata: Metadata
    spec: ClaimSpec = ClaimSpec()


class ControllerSpec(ObjectStruct, frozen=True):
    replicas: int = 1
    volume_claim_templates: list[PersistentVolumeClaim] | None = None


class ControllerStatus(ObjectStruct, frozen=True):
    observed_generation: int = 0
    ready_replicas: int = 0
    updated_replicas: int = 0
    conditions: list[ObjectCondition] | None = None


class Controller(ObjectStruct, frozen=True):
    """A Deployment or StatefulSet."""

    metadata: Metadata
    spec: ControllerSpec = ControllerSpec()
    status: ControllerStatus = ControllerStatus()


class Taint(ObjectStruct, frozen=True):
    effect: str = ""


class NodeSpec(ObjectStruct, frozen=True):
    unschedulable: bool = False
    taints: list[Taint] | None = None
    pod_cidrs: list[str] | None = msgspec.field(default=None, name="podCIDRs")


class NodeObjectAddress(ObjectStruct, frozen=True):
    """A host name or an IP address."""

    address: str = ""


class RuntimeFeatures(ObjectStruct, frozen=True):
    user_namespaces: bool = False


class NodeRuntime(ObjectStruct, frozen=True):
    """A container runtime of a node; "" is the default one."""

    name: str = ""
    features: RuntimeFeatures = RuntimeFeatures()


class NodeObjectStatus(ObjectStruct, frozen=True):
    allocatable: dict[str, str] | None = None
    conditions: list[ObjectCondition] | None = None
    addresses: list[NodeObjectAddress] | None = None
    runtime_handlers: list[NodeRuntime] | None = None


class NodeObject(ObjectStruct, frozen=True):
    metadata: Metadata
    spec: NodeSpec = NodeSpec()
    status: NodeObjectStatus = NodeObjectStatus()


class ServiceRangeSpec(ObjectStruct, frozen=True):
    cidrs: list[str] | None = None


class ServiceRange(ObjectStruct, frozen=True):
    """A ServiceCIDR: addresses of Services."""

    spec: ServiceRangeSpec = ServiceRangeSpec()


class Overhead(ObjectStruct, frozen=True):
    pod_fixed: dict[str, str] | None = None


class RuntimeClass(ObjectStruct, frozen=True):
    """A RuntimeClass; its overhead is added to the requests of each of its pods."""

    overhead: Overhead | None = None


class SecretObject(ObjectStruct, frozen=True):
    """A Secret; values are base64."""

    data: dict[str, str] | None = None


class QuotaSpec(ObjectStruct, frozen=True):
    hard: dict[str, str] | None = None


class ResourceQuota(ObjectStruct, frozen=True):
    metadata: Metadata
    spec: QuotaSpec = QuotaSpec()


class ServicePortObject(ObjectStruct, frozen=True):
    port: int
    target_port: int | str = 0
    node_port: int = 0
    protocol: str = "TCP"


class ServiceSpec(ObjectStruct, frozen=True):
    type: str = ""
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    ports: list[ServicePortObject] | None = None


class LoadBalancerAddress(ObjectStruct, frozen=True):
    """A host name or an IP address."""

    hostname: str = ""
    ip: str = ""


class LoadBalancerStatus(ObjectStruct, frozen=True):
    ingress: list[LoadBalancerAddress] | None = None


class ServiceStatus(ObjectStruct, frozen=True):
    load_balancer: LoadBalancerStatus = LoadBalancerStatus()


class ServiceObject(ObjectStruct, frozen=True):
    metadata: Metadata
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class HostRule(ObjectStruct, frozen=True):
    """Of an Ingress; those of an HTTPRoute have no host of their own."""

    host: str = ""


class HostSpec(ObjectStruct, frozen=True):
    rules: list[HostRule] | None = None
    hostnames: list[str] | None = None


class RouteParent(ObjectStruct, frozen=True):
    """What a Gateway says of an HTTPRoute."""

    conditions: list[ObjectCondition] | None = None


class RouteStatus(ObjectStruct, frozen=True):
    parents: list[RouteParent] | None = None


class HostObject(ObjectStruct, frozen=True):
    """An Ingress or an HTTPRoute."""

    metadata: Metadata
    spec: HostSpec = HostSpec()
    status: RouteStatus = RouteStatus()


class ListMetadata(ObjectStruct, frozen=True):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class ObjectList(ObjectStruct, frozen=True):
    """A page of a list, with undecoded items. Servers write an empty list as null; a response without `items`
    is an error.
    """

    metadata: ListMetadata
    items: list[msgspec.Raw] | None


class ApiStatus(ObjectStruct, frozen=True):
    """The response of an API server to a failed request."""

    code: int = 0
    reason: str = ""
    message: str = ""


class WatchEvent(ObjectStruct, frozen=True):
    """One line of a watch."""

    type: str
    object: msgspec.Raw
