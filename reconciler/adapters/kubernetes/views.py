"""Kubernetes objects to the small values that the caches hold; pure."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from reconciler.adapters.kubernetes import drift, naming, objects
from reconciler.adapters.kubernetes.addresses import addresses_of, refusal_of
from reconciler.adapters.kubernetes.gpus import ARCHITECTURE, NodeGpu, gpu_vendor, node_gpu
from reconciler.adapters.kubernetes.policies import Manifest, ranges_in_internet
from reconciler.adapters.kubernetes.quantities import milli, whole
from reconciler.documents.typed_json import decode_json
from reconciler.values.addresses import ServiceAddress
from reconciler.values.clusters import GpuLabel
from reconciler.values.ids import LeaseId, WorkloadId, workload_id
from reconciler.values.resources import Resources
from reconciler.values.text import SENTENCE_MAX, one_line, printable
from reconciler.values.volumes import PersistentVolume

_FINISHED = ("Succeeded", "Failed")
NAME_MAX = 253
"""The longest valid name in Kubernetes, in characters."""
IMAGE_MAX = 512
EVICTED = "Evicted"
SECONDS_DIGITS_MAX = 11


@dataclass(frozen=True, slots=True)
class ObjectMeta:
    """The name, ownership labels and annotations of an own object. `parts` are all objects that its
    workload should have.
    """

    name: str
    workload: WorkloadId
    service: str
    spec_hash: str
    lease: LeaseId | None
    digest: str
    parts: tuple[str, ...]
    deleting: bool
    uid: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class ControllerView:
    """The Deployment or StatefulSet of a service: `kind` in lower case; `drift` is empty if it is as applied;
    `failure`: why pods are missing. `claims` are the volumes that each of its pods claims, by name;
    `claimed_classes` the cluster's names of their classes.
    """

    kind: str
    meta: ObjectMeta
    replicas: int
    ready: int
    rolled_out: bool
    drift: str
    failure: str
    claims: tuple[PersistentVolume, ...] = ()
    claimed_classes: tuple[tuple[str, str], ...] = ()

    @property
    def part(self) -> str:
        """Its kind and name (`deployment/name`)."""
        return f"{self.kind}/{self.meta.name}"


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim of a workload's pod; `released_at`: when the workload was removed (unix seconds; 0: never)."""

    meta: ObjectMeta
    volume: PersistentVolume
    released_at: int = 0


@dataclass(frozen=True, slots=True)
class PartView:
    """Another object of a workload, such as a Service: `part` is its kind and name (`service/name`), `drift`
    is empty if it is as applied. `base_spec` is the live specification of a base policy, whose drift depends
    on the cluster's nodes. `addresses` are those under which it is reached from outside;
    `refusal`: why its Gateway does not serve it.
    """

    part: str
    meta: ObjectMeta
    drift: str
    base_spec: str = ""
    addresses: tuple[ServiceAddress, ...] = ()
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class ContainerView:
    """A container of a pod: why it waits, and how it last exited."""

    image: str
    restarts: int
    waiting: objects.Waiting | None
    exited: objects.Terminated | None


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod of a workload; `eviction`: why its node evicted it ("": it did not)."""

    meta: ObjectMeta
    node: str
    requests: Resources
    finished: bool
    ready: bool
    unschedulable: str
    containers: tuple[ContainerView, ...]
    eviction: str = ""


@dataclass(frozen=True, slots=True)
class ForeignPodView:
    """A pod that is not ours."""

    node: str
    requests: Resources


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node; `allocatable` is None if no pods may be scheduled there. `ranges` are its addresses and those
    of its pods; `user_namespaces` are the runtime handlers that have them ("": the default one). Its
    CPU architecture and its GPUs (None: it has none).
    """

    name: str
    allocatable: Resources | None
    ranges: tuple[str, ...] = ()
    user_namespaces: frozenset[str] = frozenset()
    arch: str = ""
    gpu: NodeGpu | None = None


def controller_view(raw: bytes, kind: str = "deployment") -> ControllerView:
    """The Deployment or StatefulSet of a service."""
    found = decode_json(raw, objects.Controller)
    templates = found.spec.volume_claim_templates or ()
    status = found.status
    observed = status.observed_generation >= found.metadata.generation
    failures = [
        one_line(each.message, SENTENCE_MAX)
        for each in status.conditions or ()
        if each.type == "ReplicaFailure" and each.status == "True"
    ]
    return ControllerView(
        kind,
        object_meta(found.metadata),
        found.spec.replicas,
        status.ready_replicas,
        observed and status.updated_replicas >= found.spec.replicas,
        drift_from_applied(raw, found.metadata),
        failures[0] if failures else "",
        tuple(sorted(map(_persistent_volume, templates))),
        tuple(
            (clean_name(each.metadata.name), clean_name(each.spec.storage_class_name)) for each in templates
        ),
    )


def claim_view(raw: bytes) -> ClaimView:
    """A claim of a workload."""
    found = decode_json(raw, objects.PersistentVolumeClaim)
    released_at = released_seconds(found.metadata)
    return ClaimView(object_meta(found.metadata), _persistent_volume(found), released_at)


def released_seconds(claim: objects.Metadata) -> int:
    """When the workload of a claim was removed, in unix seconds; 0 if it was not."""
    text = (claim.annotations or {}).get(naming.RELEASED, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= SECONDS_DIGITS_MAX else 0


def storage_class_view(raw: bytes) -> str:
    """The name of a StorageClass."""
    return clean_name(decode_json(raw, objects.PartialObject).metadata.name)


def _persistent_volume(claim: objects.PersistentVolumeClaim) -> PersistentVolume:
    storage_class = (claim.metadata.annotations or {}).get(naming.STORAGE_CLASS, "")
    size = (claim.spec.resources.requests or {}).get("storage", "0")
    return PersistentVolume(clean_name(claim.metadata.name), clean_name(storage_class), whole(size))


def part_view(raw: bytes, kind: str) -> PartView:
    """An object of a workload or of a namespace of workloads, of this kind in lower case."""
    metadata = decode_json(raw, objects.PartialObject).metadata
    meta = object_meta(metadata)
    part = f"{kind}/{meta.name}"
    if kind == "networkpolicy" and metadata.name == naming.POLICY_NAME:
        return PartView(part, meta, "", json.dumps(_live_spec(raw), sort_keys=True))
    refusal = refusal_of(raw) if kind == "httproute" else ""
    return PartView(part, meta, drift_from_applied(raw, metadata), "", addresses_of(raw, kind), refusal)


def base_drift(base: Manifest, view: PartView) -> str:
    """Where a base policy differs from this specification."""
    live = json.loads(view.base_spec)
    return drift.live_values(base, live) if drift.differences(base, live) else ""


def pod_view(raw: bytes) -> PodView:
    """A pod of a workload."""
    found = decode_json(raw, objects.Pod)
    conditions = {each.type: each for each in found.status.conditions or ()}
    scheduled, ready = conditions.get("PodScheduled"), conditions.get("Ready")
    return PodView(
        object_meta(found.metadata),
        clean_name(found.spec.node_name),
        pod_requests(found.spec),
        found.status.phase in _FINISHED,
        ready is not None and ready.status == "True",
        one_line(scheduled.message, SENTENCE_MAX) if scheduled and _is_unschedulable(scheduled) else "",
        tuple(_container(each) for each in found.status.container_statuses or ()),
        _eviction(found.status),
    )


def foreign_pod_view(raw: bytes) -> ForeignPodView:
    """A pod that is not ours; a finished one takes nothing."""
    found = decode_json(raw, objects.Pod)
    requests = Resources() if found.status.phase in _FINISHED else pod_requests(found.spec)
    return ForeignPodView(clean_name(found.spec.node_name), requests)


def node_view(raw: bytes, gpu_labels: Sequence[GpuLabel] = ()) -> NodeView:
    """A node; `gpu_labels` are the adapter file's. One that is unready, cordoned or tainted has nothing
    allocatable.
    """
    found = decode_json(raw, objects.NodeObject)
    ready = any(each.type == "Ready" and each.status == "True" for each in found.status.conditions or ())
    tainted = any(each.effect in ("NoSchedule", "NoExecute") for each in found.spec.taints or ())
    is_open = ready and not found.spec.unschedulable and not tainted
    addresses = [each.address for each in found.status.addresses or ()]
    labels = {clean_name(key): clean_name(value) for key, value in (found.metadata.labels or {}).items()}
    handlers = (each for each in found.status.runtime_handlers or () if each.features.user_namespaces)
    return NodeView(
        clean_name(found.metadata.name),
        resources_of(found.status.allocatable) if is_open else None,
        ranges_in_internet([*addresses, *(found.spec.pod_cidrs or ())]),
        frozenset(each.name for each in handlers),
        labels.get(ARCHITECTURE, ""),
        node_gpu(gpu_vendor(found.status.allocatable or {}), labels, gpu_labels),
    )


def quota_view(raw: bytes) -> Resources | None:
    """What our quota allows; None if it does not have the form in which we write it."""
    hard = decode_json(raw, objects.ResourceQuota).spec.hard or {}
    requests = {name.removeprefix("requests."): hard[name] for name in hard if name.startswith("requests.")}
    limits = {name.removeprefix("limits."): hard[name] for name in hard if name.startswith("limits.")}
    if {"cpu", "memory", "ephemeral-storage", naming.GPU} - requests.keys():
        return None
    without_gpu = {name: amount for name, amount in requests.items() if name != naming.GPU}
    return resources_of(requests) if resources_of(limits) == resources_of(without_gpu) else None


def pod_requests(spec: objects.PodSpec) -> Resources:
    """The scheduler's sum: all containers together, or the largest init container if that is more."""
    running = [*spec.containers, *(each for each in spec.init_containers if each.restart_policy == "Always")]
    needed = reduce(
        Resources.__add__, (resources_of(each.resources.requests) for each in running), Resources()
    )
    for container in spec.init_containers:
        init = resources_of(container.resources.requests)
        needed = Resources(
            max(needed.cpu_milli, init.cpu_milli),
            max(needed.memory_bytes, init.memory_bytes),
            max(needed.storage_bytes, init.storage_bytes),
            max(needed.gpu, init.gpu),
        )
    return needed + resources_of(spec.overhead)


def resources_of(amounts: dict[str, str] | None) -> Resources:
    """The resources that leases have; ignores others, and GPUs of a second vendor."""
    listed = amounts or {}
    gpus = naming.GPUS.get(gpu_vendor(listed), naming.GPU)
    return Resources(
        milli(listed.get("cpu", "0")),
        whole(listed.get("memory", "0")),
        whole(listed.get("ephemeral-storage", "0")),
        whole(listed.get(gpus, "0")),
    )


def object_meta(metadata: objects.Metadata) -> ObjectMeta:
    """The lease is None unless the workload's id derives from it."""
    labels, annotations = metadata.labels or {}, metadata.annotations or {}
    workload = WorkloadId(clean_name(labels.get(naming.WORKLOAD, "")))
    lease: LeaseId | None = None
    with contextlib.suppress(ValueError):
        lease = LeaseId.parse(annotations.get(naming.LEASE, ""))
    if lease is not None and workload_id(lease) != workload:
        lease = None
    return ObjectMeta(
        clean_name(metadata.name),
        workload,
        clean_name(labels.get(naming.SERVICE, "")),
        clean_name(labels.get(naming.SPEC, "")),
        lease,
        clean_name(annotations.get(naming.DIGEST, "")),
        tuple(clean_name(part) for part in annotations.get(naming.PARTS, "").split(",") if part),
        metadata.deletion_timestamp is not None,
        clean_name(metadata.uid),
        clean_name(metadata.namespace),
    )


def clean_name(text: str) -> str:
    """A name, label or reason, bounded and clean."""
    return printable(text, NAME_MAX)


def drift_from_applied(raw: bytes, metadata: objects.Metadata) -> str:
    """Where the object's spec differs from the applied one, with the live values; empty if nowhere."""
    applied = (metadata.annotations or {}).get(naming.APPLIED)
    if applied is None:
        return "unmarked"
    try:
        return _drift(decode_json(applied, dict[str, Any]), raw)
    except ValueError:
        return "unreadable"


def _live_spec(raw: bytes) -> Any:
    return decode_json(raw, objects.WithSpec).spec


def _drift(applied: Manifest, raw: bytes) -> str:
    metadata = decode_json(raw, objects.PartialObject).metadata
    if applied.keys() == {"labels"}:
        live: Any = {"labels": metadata.labels or {}}
    elif applied.keys() == {"annotations", "spec"}:
        live = {"annotations": metadata.annotations or {}, "spec": _live_spec(raw)}
    else:
        live = _live_spec(raw)
    return drift.live_values(applied, live) if drift.differences(applied, live) else ""


def _container(status: objects.ContainerStatus) -> ContainerView:
    """Cleaned, because an image and its registry write parts of the texts."""
    waiting, exited = status.state.waiting, status.state.terminated or status.last_state.terminated
    return ContainerView(
        printable(status.image, IMAGE_MAX),
        status.restart_count,
        objects.Waiting(clean_name(waiting.reason), one_line(waiting.message)) if waiting else None,
        objects.Terminated(exited.exit_code, clean_name(exited.reason)) if exited else None,
    )


def _eviction(status: objects.PodStatus) -> str:
    return one_line(status.message, SENTENCE_MAX) or EVICTED if status.reason == EVICTED else ""


def _is_unschedulable(condition: objects.ObjectCondition) -> bool:
    return condition.status == "False" and condition.reason == "Unschedulable"
