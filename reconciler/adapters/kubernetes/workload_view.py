"""Workloads and capacity, from the objects in the caches; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.adapters.kubernetes.troubles import workload_trouble
from reconciler.adapters.kubernetes.views import (
    DeploymentView,
    ForeignPodView,
    NodeView,
    ObjectMeta,
    PartView,
    PodView,
)
from reconciler.values.ids import WorkloadId
from reconciler.values.machines import Capacity, Machine, capacity_reading
from reconciler.values.observed import ObservedWorkload
from reconciler.values.readings import Reading
from reconciler.values.resources import Resources


@dataclass(slots=True)
class WorkloadObjects:
    """The objects of one workload."""

    deployments: list[DeploymentView] = field(default_factory=list)
    services: list[PartView] = field(default_factory=list)
    policies: list[PartView] = field(default_factory=list)
    pods: list[PodView] = field(default_factory=list)

    def same(self, other: WorkloadObjects) -> bool:
        """Whether both hold identical objects in the same order."""
        ours, theirs = (*self.applied(), *self.pods), (*other.applied(), *other.pods)
        return len(ours) == len(theirs) and all(a is b for a, b in zip(ours, theirs, strict=True))

    def applied(self) -> tuple[DeploymentView | PartView, ...]:
        """The objects that we apply, Deployments first; the cluster creates the pods."""
        return (*self.deployments, *self.services, *self.policies)

    def drift(self) -> dict[str, str]:
        """The drift of each applied object, by part (`service/name`)."""
        kinds: dict[str, Sequence[DeploymentView | PartView]] = {
            "deployment": self.deployments,
            "service": self.services,
            "networkpolicy": self.policies,
        }
        return {f"{kind}/{each.meta.name}": each.drift for kind, views in kinds.items() for each in views}

    def meta(self) -> list[ObjectMeta]:
        """Of all objects, Deployments first."""
        return [each.meta for each in (*self.applied(), *self.pods)]


def group_by_workload(
    deployments: Iterable[DeploymentView],
    services: Iterable[PartView],
    policies: Iterable[PartView],
    pods: Iterable[PodView],
) -> dict[WorkloadId, WorkloadObjects]:
    """The objects of each workload; the base policy belongs to none."""
    found: dict[WorkloadId, WorkloadObjects] = defaultdict(WorkloadObjects)
    for deployment in deployments:
        found[deployment.meta.workload].deployments.append(deployment)
    for service in services:
        found[service.meta.workload].services.append(service)
    for policy in policies:
        if policy.meta.workload:
            found[policy.meta.workload].policies.append(policy)
    for pod in pods:
        found[pod.meta.workload].pods.append(pod)
    return dict(found)


def observed_workload_of(
    workload: WorkloadId, group: WorkloadObjects, server_drift: Mapping[str, str]
) -> ObservedWorkload | None:
    """A workload from its objects; None if none of them names its lease.

    `server_drift` is the drift that the cluster itself causes on an apply (defaults, webhooks), by part.
    """
    meta = group.meta()
    lease = next((each.lease for each in meta if each.lease is not None), None)
    if lease is None:
        return None
    deployments = group.deployments
    replicas = sum(each.replicas for each in deployments)
    replicas_ready = sum(pod.ready and not pod.meta.deleting for pod in group.pods)
    rolled_out = all(each.rolled_out and each.ready >= each.replicas for each in deployments)
    wanted = {part for each in meta for part in each.parts}
    missing = {part for part in wanted if part.startswith("deployment/")} - group.drift().keys()
    digests = {each.meta.digest for each in group.applied()}
    return ObservedWorkload(
        id=workload,
        lease=lease,
        digest=digests.pop() if len(digests) == 1 else "",
        paused=bool(deployments) and replicas == 0,
        ready=0 < replicas <= replicas_ready and rolled_out and not missing,
        replicas_ready=replicas_ready,
        replicas=replicas,
        removing=any(each.meta.deleting for each in deployments) or not group.applied(),
        drifted=_has_drifted(group, wanted, server_drift),
        trouble=workload_trouble(deployments, group.pods),
        pods=tuple(sorted(pod.meta.name for pod in _current_pods(group))),
        uids=tuple(sorted(each.meta.uid for each in deployments if each.meta.uid)),
        ready_by_service=_ready_by_service(group),
    )


def _current_pods(group: WorkloadObjects) -> tuple[PodView, ...]:
    """Live pods of the current specifications; a rollout ends the others."""
    current = {(each.meta.service, each.meta.spec_hash) for each in group.deployments}
    live = (pod for pod in group.pods if not pod.finished and not pod.meta.deleting)
    return tuple(pod for pod in live if (pod.meta.service, pod.meta.spec_hash) in current)


def _ready_by_service(group: WorkloadObjects) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(pod.meta.service for pod in _current_pods(group) if pod.ready).items()))


def _has_drifted(group: WorkloadObjects, wanted: set[str], server_drift: Mapping[str, str]) -> bool:
    """Each Deployment needs a policy, even if an earlier version of this program did not list it."""
    drift = group.drift()
    required = wanted | {f"networkpolicy/{each.meta.name}" for each in group.deployments}
    if not drift:
        return False
    return required != drift.keys() or any(
        found and server_drift.get(part) != found for part, found in drift.items()
    )


def capacity_of(
    nodes: Iterable[NodeView],
    pods: Iterable[PodView],
    foreign_pods: Iterable[ForeignPodView],
    quota: Resources | None,
) -> Reading[Capacity]:
    """What schedulable nodes offer, less foreign pods, and what our pods hold of it; Unseen if a node reports
    absurd figures.
    """
    reported = {node.name: node.allocatable for node in nodes if node.allocatable is not None}
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
        Machine(name, left[name].without_negatives(), held.get(name, {})) for name in sorted(left)
    )
    return capacity_reading(Capacity(machines, quota), reported)
