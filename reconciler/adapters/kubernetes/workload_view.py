"""Workloads and capacity, from the objects in the caches; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.namespaces import Manifest, Namespaces
from reconciler.adapters.kubernetes.troubles import network_trouble, workload_trouble
from reconciler.adapters.kubernetes.views import (
    ControllerView,
    ForeignPodView,
    NodeView,
    ObjectMeta,
    PartView,
    PodView,
    base_drift,
)
from reconciler.values.features import ARCHITECTURE
from reconciler.values.ids import WorkloadId
from reconciler.values.machines import GPU, Capacity, Machine, capacity_reading
from reconciler.values.observed import ObservedWorkload
from reconciler.values.readings import Reading
from reconciler.values.resources import Attribute, Parts, Resources


@dataclass(slots=True)
class WorkloadObjects:
    """The objects of one workload; `controllers` are its Deployments and StatefulSets, `parts` all others
    that are no pods.
    """

    controllers: list[ControllerView] = field(default_factory=list)
    parts: list[PartView] = field(default_factory=list)
    pods: list[PodView] = field(default_factory=list)

    def same(self, other: WorkloadObjects) -> bool:
        """Whether both hold identical objects in the same order."""
        ours, theirs = (*self.applied(), *self.pods), (*other.applied(), *other.pods)
        return len(ours) == len(theirs) and all(a is b for a, b in zip(ours, theirs, strict=True))

    def applied(self) -> tuple[ControllerView | PartView, ...]:
        """The objects that we apply, controllers first; the cluster creates the pods."""
        return (*self.controllers, *self.parts)

    def drift(self, base: Manifest) -> dict[str, str]:
        """The drift of each applied object, by part (`service/name`); a base policy's from `base`."""
        found = {each.part: each.drift for each in self.controllers}
        return found | {
            each.part: base_drift(base, each) if each.base_spec else each.drift for each in self.parts
        }

    def meta(self) -> list[ObjectMeta]:
        """Of all objects, controllers first."""
        return [each.meta for each in (*self.applied(), *self.pods)]


@dataclass(frozen=True, slots=True)
class Expected:
    """What objects are compared with: where they should be, the base policy's specification, and by namespace
    and part the drift that the cluster itself causes on an apply (defaults, webhooks). `public_host` is the
    name of its nodes ("": that of the provider).
    """

    namespaces: Namespaces
    base: Manifest
    server_drift: Mapping[tuple[str, str], str]
    public_host: str = ""


def group_by_workload(
    controllers: Iterable[ControllerView], parts: Iterable[PartView], pods: Iterable[PodView]
) -> dict[WorkloadId, WorkloadObjects]:
    """The objects of each workload; those of a namespace for all belong to none."""
    found: dict[WorkloadId, WorkloadObjects] = defaultdict(WorkloadObjects)
    for controller in controllers:
        found[controller.meta.workload].controllers.append(controller)
    for part in parts:
        if part.meta.workload:
            found[part.meta.workload].parts.append(part)
    for pod in pods:
        found[pod.meta.workload].pods.append(pod)
    return dict(found)


def observed_workload_of(
    workload: WorkloadId, group: WorkloadObjects, expected: Expected
) -> ObservedWorkload | None:
    """A workload from its objects; None if none of them names its lease."""
    meta = group.meta()
    lease = next((each.lease for each in meta if each.lease is not None), None)
    if lease is None:
        return None
    controllers = group.controllers
    replicas = sum(each.replicas for each in controllers)
    replicas_ready = sum(pod.ready and not pod.meta.deleting for pod in group.pods)
    rolled_out = all(each.rolled_out and each.ready >= each.replicas for each in controllers)
    wanted = {part for each in meta for part in each.parts}
    drift = group.drift(expected.base)
    missing = {part for part in wanted if part.startswith(("deployment/", "statefulset/"))} - drift.keys()
    digests = {each.meta.digest for each in group.applied()}
    return ObservedWorkload(
        id=workload,
        lease=lease,
        digest=digests.pop() if len(digests) == 1 else "",
        paused=bool(controllers) and replicas == 0,
        ready=0 < replicas <= replicas_ready and rolled_out and not missing,
        replicas_ready=replicas_ready,
        replicas=replicas,
        removing=_is_being_removed(group),
        drifted=_has_drifted(group, wanted, expected),
        trouble=workload_trouble(controllers, group.pods) or network_trouble(group.parts),
        pods=tuple(sorted(pod.meta.name for pod in _current_pods(group))),
        uids=tuple(sorted(each.meta.uid for each in controllers if each.meta.uid)),
        ready_by_service=_ready_by_service(group),
        addresses=tuple(
            sorted(each.at(expected.public_host) for part in group.parts for each in part.addresses)
        ),
        volumes=tuple(sorted((each.meta.service, each.claims) for each in controllers)),
    )


def _current_pods(group: WorkloadObjects) -> tuple[PodView, ...]:
    """Live pods of the current specifications; a rollout ends the others."""
    current = {(each.meta.service, each.meta.spec_hash) for each in group.controllers}
    live = (pod for pod in group.pods if not pod.finished and not pod.meta.deleting)
    return tuple(pod for pod in live if (pod.meta.service, pod.meta.spec_hash) in current)


def _ready_by_service(group: WorkloadObjects) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(pod.meta.service for pod in _current_pods(group) if pod.ready).items()))


def _is_being_removed(group: WorkloadObjects) -> bool:
    """Whether controllers or its namespace end, or all that is left are pods."""
    ending = any(each.meta.deleting for each in group.controllers)
    ending |= any(each.meta.deleting for each in group.parts if each.part.startswith("namespace/"))
    return ending or not group.applied()


def _has_drifted(group: WorkloadObjects, wanted: set[str], expected: Expected) -> bool:
    """Each service needs a policy, even if an earlier version of this program did not list it."""
    drift = group.drift(expected.base)
    policies = (naming.object_name(each.meta.workload, each.meta.service) for each in group.controllers)
    required = wanted | {f"networkpolicy/{name}" for name in policies}
    if not drift:
        return False
    if any(_is_misplaced(each, expected.namespaces) for each in group.applied()):
        return True
    home = expected.namespaces.home(group.meta()[0].workload)
    return required != drift.keys() or any(
        found and expected.server_drift.get((home, part)) != found for part, found in drift.items()
    )


def _is_misplaced(view: ControllerView | PartView, namespaces: Namespaces) -> bool:
    """Whether an object is not in its workload's namespace; a namespace itself is in none."""
    return view.meta.namespace not in ("", namespaces.home(view.meta.workload))


def capacity_of(
    nodes: Iterable[NodeView],
    pods: Iterable[PodView],
    foreign_pods: Iterable[ForeignPodView],
    quota: Resources | None,
    volumes: Parts[str] = (),
) -> Reading[Capacity]:
    """What schedulable nodes offer, less foreign pods, and what our pods hold of it, with the volumes
    offered; Unseen if a node reports absurd figures.
    """
    known = {node.name: node for node in nodes}
    reported = {node.name: node.allocatable for node in known.values() if node.allocatable is not None}
    left = dict(reported)
    for foreign in foreign_pods:
        if foreign.node in left:
            left[foreign.node] -= foreign.requests.without_negatives()
    held: dict[str, dict[WorkloadId, tuple[Resources, ...]]] = defaultdict(dict)
    for pod in pods:
        if pod.node in left and not pod.finished:
            of_node = held[pod.node]
            of_node[pod.meta.workload] = (
                *of_node.get(pod.meta.workload, ()),
                pod.requests.without_negatives(),
            )
    machines = tuple(
        Machine(name, left[name].without_negatives(), held.get(name, {}), _attributes(known[name]))
        for name in sorted(left)
    )
    return capacity_reading(Capacity(machines, quota, volumes=volumes), reported)


def _attributes(node: NodeView) -> tuple[Attribute, ...]:
    """Its architecture, and the model of its GPUs if it has any."""
    named = ((ARCHITECTURE, node.arch), (GPU, str(node.gpu.model) if node.gpu else ""))
    return tuple((key, value) for key, value in named if value)
