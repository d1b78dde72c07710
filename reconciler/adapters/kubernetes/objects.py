"""The few fields of Kubernetes objects that we read; everything else is skipped while decoding."""

from __future__ import annotations

import msgspec


class ObjectStruct(msgspec.Struct, rename="camel", frozen=True):
    """Fields are camelCase on the wire."""


class Owner(ObjectStruct, frozen=True):
    """An owner reference."""

    kind: str
    uid: str


class Metadata(ObjectStruct, frozen=True):
    """Of every object."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[Owner] | None = None


class PodCondition(ObjectStruct, frozen=True):
    """Of any status."""

    type: str
    status: str = ""
    reason: str = ""
    message: str = ""


class Quantities(ObjectStruct, frozen=True):
    """A container's resources."""

    requests: dict[str, str] | None = None
    limits: dict[str, str] | None = None


class Container(ObjectStruct, frozen=True):
    """Of a pod's spec."""

    name: str
    resources: Quantities = Quantities()
    restart_policy: str = ""


class PodSpec(ObjectStruct, frozen=True):
    """Of a pod."""

    node_name: str = ""
    containers: list[Container] = []
    init_containers: list[Container] = []
    overhead: dict[str, str] | None = None


class Waiting(ObjectStruct, frozen=True):
    """Why a container does not run."""

    reason: str = ""
    message: str = ""


class Terminated(ObjectStruct, frozen=True):
    """How a container ended."""

    exit_code: int = 0
    reason: str = ""


class ContainerState(ObjectStruct, frozen=True):
    """Of a container: one of the two, or running."""

    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(ObjectStruct, frozen=True):
    """Of a container."""

    name: str
    image: str = ""
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodStatus(ObjectStruct, frozen=True):
    """Of a pod."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: list[PodCondition] | None = None
    container_statuses: list[ContainerStatus] | None = None


class Pod(ObjectStruct, frozen=True):
    """A pod."""

    metadata: Metadata
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class DeploymentSpec(ObjectStruct, frozen=True):
    """Of a Deployment."""

    replicas: int = 1


class DeploymentStatus(ObjectStruct, frozen=True):
    """Of a Deployment."""

    observed_generation: int = 0
    ready_replicas: int = 0
    updated_replicas: int = 0
    conditions: list[PodCondition] | None = None


class Deployment(ObjectStruct, frozen=True):
    """A Deployment."""

    metadata: Metadata
    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()


class Taint(ObjectStruct, frozen=True):
    """Of a node."""

    effect: str = ""


class NodeSpec(ObjectStruct, frozen=True):
    """Of a node."""

    unschedulable: bool = False
    taints: list[Taint] | None = None


class NodeObjectStatus(ObjectStruct, frozen=True):
    """Of a node."""

    allocatable: dict[str, str] | None = None
    conditions: list[PodCondition] | None = None


class NodeObject(ObjectStruct, frozen=True):
    """A node."""

    metadata: Metadata
    spec: NodeSpec = NodeSpec()
    status: NodeObjectStatus = NodeObjectStatus()


class QuotaSpec(ObjectStruct, frozen=True):
    """Of a ResourceQuota."""

    hard: dict[str, str] | None = None


class Quota(ObjectStruct, frozen=True):
    """A ResourceQuota."""

    metadata: Metadata
    spec: QuotaSpec = QuotaSpec()


class ServiceSpec(ObjectStruct, frozen=True):
    """Of a Service."""

    cluster_ip: str = msgspec.field(default="", name="clusterIP")


class ServiceObject(ObjectStruct, frozen=True):
    """A Service."""

    metadata: Metadata
    spec: ServiceSpec = ServiceSpec()


class Bare(ObjectStruct, frozen=True):
    """Any object: its metadata alone."""

    metadata: Metadata


class ListMetadata(ObjectStruct, frozen=True):
    """Of a list."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class ObjectList(ObjectStruct, frozen=True):
    """A page of a list; its items are decoded one by one. Servers write an empty one as null; an answer
    without `items` is no list.
    """

    metadata: ListMetadata
    items: list[msgspec.Raw] | None


class Cause(ObjectStruct, frozen=True):
    """One cause of a refusal."""

    field: str = ""
    message: str = ""


class Details(ObjectStruct, frozen=True):
    """Of a refusal."""

    causes: list[Cause] | None = None


class ApiStatus(ObjectStruct, frozen=True):
    """What an API server answers instead of an object."""

    code: int = 0
    reason: str = ""
    message: str = ""
    details: Details | None = None


class WatchEvent(ObjectStruct, frozen=True):
    """One line of a watch."""

    type: str
    object: msgspec.Raw
