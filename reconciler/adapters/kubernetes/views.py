"""Kubernetes objects to the small values that we keep of them; pure."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from functools import reduce

from reconciler.adapters.kubernetes import drift, naming, objects
from reconciler.adapters.kubernetes.policies import Manifest
from reconciler.adapters.kubernetes.quantities import milli, whole
from reconciler.documents.typed_json import decode_json
from reconciler.values.ids import LeaseId, WorkloadId, workload_id
from reconciler.values.resources import Resources
from reconciler.values.text import SENTENCE_MAX, one_line, printable

_OVER = ("Succeeded", "Failed")
NAME_MAX = 253
"""Characters of a name: no longer one is valid in Kubernetes."""
IMAGE_MAX = 512


@dataclass(frozen=True, slots=True)
class Marks:
    """What an object of ours says of itself. `parts` are the objects that its workload should have."""

    name: str
    workload: WorkloadId
    service: str
    spec: str
    lease: LeaseId | None
    digest: str
    parts: tuple[str, ...]
    deleting: bool


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """A Deployment of ours; `projection` is empty where it is as applied, `failure` says why pods lack."""

    marks: Marks
    replicas: int
    ready: int
    rolled_out: bool
    projection: str
    failure: str


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A Service of ours."""

    marks: Marks
    address: str
    projection: str


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A NetworkPolicy of ours."""

    marks: Marks
    projection: str


@dataclass(frozen=True, slots=True)
class ContainerView:
    """A container of a pod: why it waits, and how it last ended."""

    name: str
    image: str
    ready: bool
    restarts: int
    waiting: objects.Waiting | None
    exited: objects.Terminated | None


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod of ours."""

    marks: Marks
    node: str
    uses: Resources
    over: bool
    ready: bool
    evicted: str
    unschedulable: str
    containers: tuple[ContainerView, ...]


@dataclass(frozen=True, slots=True)
class ForeignPodView:
    """A pod that is not ours: what it takes, and where."""

    node: str
    uses: Resources


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node: what pods may use of it, nothing where they may not be placed there."""

    name: str
    offers: Resources | None


def deployment_view(raw: bytes) -> DeploymentView:
    """A Deployment of ours."""
    found = decode_json(raw, objects.Deployment)
    status = found.status
    observed = status.observed_generation >= found.metadata.generation
    failures = [
        one_line(c.message, SENTENCE_MAX)
        for c in status.conditions or ()
        if c.type == "ReplicaFailure" and c.status == "True"
    ]
    return DeploymentView(
        marks_of(found.metadata),
        found.spec.replicas,
        status.ready_replicas,
        observed and status.updated_replicas >= found.spec.replicas,
        projection_of(raw, found.metadata),
        failures[0] if failures else "",
    )


def service_view(raw: bytes) -> ServiceView:
    """A Service of ours."""
    found = decode_json(raw, objects.ServiceObject)
    return ServiceView(
        marks_of(found.metadata), name_of(found.spec.cluster_ip), projection_of(raw, found.metadata)
    )


def policy_view(raw: bytes, base: Manifest) -> PolicyView:
    """A NetworkPolicy of ours; `base` is the specification that the base policy must have."""
    metadata = decode_json(raw, objects.Bare).metadata
    if metadata.name == naming.POLICY_NAME:
        return PolicyView(marks_of(metadata), _projection(base, raw))
    return PolicyView(marks_of(metadata), projection_of(raw, metadata))


def pod_view(raw: bytes) -> PodView:
    """A pod of ours."""
    found = decode_json(raw, objects.Pod)
    conditions = {c.type: c for c in found.status.conditions or ()}
    placed = conditions.get("PodScheduled")
    ready = conditions.get("Ready")
    return PodView(
        marks_of(found.metadata),
        name_of(found.spec.node_name),
        pod_uses(found.spec),
        found.status.phase in _OVER,
        ready is not None and ready.status == "True",
        one_line(found.status.message, SENTENCE_MAX) if found.status.reason == "Evicted" else "",
        one_line(placed.message, SENTENCE_MAX) if placed and _is_unschedulable(placed) else "",
        tuple(_container(each) for each in found.status.container_statuses or ()),
    )


def foreign_pod_view(raw: bytes) -> ForeignPodView:
    """A pod that is not ours; one that is over takes nothing."""
    found = decode_json(raw, objects.Pod)
    over = found.status.phase in _OVER
    return ForeignPodView(name_of(found.spec.node_name), Resources() if over else pod_uses(found.spec))


def node_view(raw: bytes) -> NodeView:
    """A node; it offers nothing while it is not ready, closed to new pods, or tainted against them."""
    found = decode_json(raw, objects.NodeObject)
    ready = any(c.type == "Ready" and c.status == "True" for c in found.status.conditions or ())
    tainted = any(t.effect in ("NoSchedule", "NoExecute") for t in found.spec.taints or ())
    usable = ready and not found.spec.unschedulable and not tainted
    return NodeView(name_of(found.metadata.name), resources_of(found.status.allocatable) if usable else None)


def quota_view(raw: bytes) -> Resources | None:
    """What our quota allows; None where it is not the one that we would write."""
    hard = decode_json(raw, objects.Quota).spec.hard or {}
    requests = {name.removeprefix("requests."): hard[name] for name in hard if name.startswith("requests.")}
    limits = {name.removeprefix("limits."): hard[name] for name in hard if name.startswith("limits.")}
    if {"cpu", "memory", "ephemeral-storage", naming.GPU} - requests.keys():
        return None
    without_gpu = {name: amount for name, amount in requests.items() if name != naming.GPU}
    return resources_of(requests) if resources_of(limits) == resources_of(without_gpu) else None


def pod_uses(spec: objects.PodSpec) -> Resources:
    """What a pod takes of its node: its containers together, or its hungriest initial one if that is more."""
    running = [*spec.containers, *(c for c in spec.init_containers if c.restart_policy == "Always")]
    together = reduce(Resources.__add__, (resources_of(c.resources.requests) for c in running), Resources())
    for container in spec.init_containers:
        first = resources_of(container.resources.requests)
        together = Resources(
            max(together.cpu_milli, first.cpu_milli),
            max(together.memory_bytes, first.memory_bytes),
            max(together.storage_bytes, first.storage_bytes),
            max(together.gpu, first.gpu),
        )
    return together + resources_of(spec.overhead)


def resources_of(amounts: dict[str, str] | None) -> Resources:
    """The amounts that we reckon with; others are not ours to sell."""
    listed = amounts or {}
    return Resources(
        milli(listed.get("cpu", "0")),
        whole(listed.get("memory", "0")),
        whole(listed.get("ephemeral-storage", "0")),
        whole(listed.get(naming.GPU, "0")),
    )


def marks_of(metadata: objects.Metadata) -> Marks:
    """What an object's labels and annotations say; the lease only where it is the label's own."""
    labels, notes = metadata.labels or {}, metadata.annotations or {}
    workload = WorkloadId(name_of(labels.get(naming.WORKLOAD, "")))
    lease: LeaseId | None = None
    with contextlib.suppress(ValueError):
        lease = LeaseId.parse(notes.get(naming.LEASE, ""))
    if lease is not None and workload_id(lease) != workload:
        lease = None
    parts = tuple(name_of(part) for part in notes.get(naming.PARTS, "").split(",") if part)
    deleting = metadata.deletion_timestamp is not None
    service, spec = name_of(labels.get(naming.SERVICE, "")), name_of(labels.get(naming.SPEC, ""))
    digest = name_of(notes.get(naming.DIGEST, ""))
    return Marks(name_of(metadata.name), workload, service, spec, lease, digest, parts, deleting)


def name_of(text: str) -> str:
    """A name, a label or a reason, bounded and clean."""
    return printable(text, NAME_MAX)


def projection_of(raw: bytes, metadata: objects.Metadata) -> str:
    """Where the object's spec differs from what we applied, with the values there; empty where nowhere."""
    applied = (metadata.annotations or {}).get(naming.APPLIED)
    if applied is None:
        return "unmarked"
    try:
        wanted = json.loads(applied)
    except ValueError:
        return "unreadable"
    return _projection(wanted, raw)


def _projection(wanted: Manifest, raw: bytes) -> str:
    live = json.loads(raw)["spec"]
    return drift.projection(wanted, live) if drift.differences(wanted, live) else ""


def _container(status: objects.ContainerStatus) -> ContainerView:
    """Waiting and ended are of the pod's own words: an image and its registry write parts of them."""
    waiting, exited = status.state.waiting, status.state.terminated or status.last_state.terminated
    return ContainerView(
        name_of(status.name),
        printable(status.image, IMAGE_MAX),
        status.ready,
        status.restart_count,
        objects.Waiting(name_of(waiting.reason), one_line(waiting.message)) if waiting else None,
        objects.Terminated(exited.exit_code, name_of(exited.reason)) if exited else None,
    )


def _is_unschedulable(condition: objects.PodCondition) -> bool:
    return condition.status == "False" and condition.reason == "Unschedulable"
