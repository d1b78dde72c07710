"""What the caches hold, put together to workloads and capacity; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.adapters.kubernetes.troubles import trouble_of
from reconciler.adapters.kubernetes.views import (
    DeploymentView,
    ForeignPodView,
    Marks,
    NodeView,
    PodView,
    PolicyView,
    ServiceView,
)
from reconciler.values.ids import WorkloadId
from reconciler.values.observed import Capacity, Running
from reconciler.values.resources import Resources, total


@dataclass(slots=True)
class Pieces:
    """The objects of one workload."""

    deployments: list[DeploymentView] = field(default_factory=list)
    services: list[ServiceView] = field(default_factory=list)
    policies: list[PolicyView] = field(default_factory=list)
    pods: list[PodView] = field(default_factory=list)

    def same(self, other: Pieces) -> bool:
        """Whether they are the very same objects, in the same order."""
        mine, others = (*self.applied(), *self.pods), (*other.applied(), *other.pods)
        return len(mine) == len(others) and all(one is two for one, two in zip(mine, others, strict=True))

    def applied(self) -> tuple[DeploymentView | ServiceView | PolicyView, ...]:
        """What we apply, Deployments first; pods come of it."""
        return (*self.deployments, *self.services, *self.policies)

    def parts(self) -> dict[str, str]:
        """Where each of what we apply differs from what was applied, by part (`service/name`)."""
        return {
            f"{kind}/{each.marks.name}": each.projection
            for kind, views in (
                ("deployment", self.deployments),
                ("service", self.services),
                ("networkpolicy", self.policies),
            )
            for each in views
        }

    def marks(self) -> list[Marks]:
        """Of all of them, Deployments first."""
        return [each.marks for each in (*self.applied(), *self.pods)]


def gather(
    deployments: Iterable[DeploymentView],
    services: Iterable[ServiceView],
    policies: Iterable[PolicyView],
    pods: Iterable[PodView],
) -> dict[WorkloadId, Pieces]:
    """Objects by workload."""
    found: dict[WorkloadId, Pieces] = defaultdict(Pieces)
    for deployment in deployments:
        found[deployment.marks.workload].deployments.append(deployment)
    for service in services:
        found[service.marks.workload].services.append(service)
    for policy in policies:
        if policy.marks.workload:
            found[policy.marks.workload].policies.append(policy)
    for pod in pods:
        found[pod.marks.workload].pods.append(pod)
    return dict(found)


def running_of(workload: WorkloadId, pieces: Pieces, tolerated: Mapping[str, str]) -> Running | None:
    """A workload as its objects show it; None where none of them names its lease.

    `tolerated` are differences, by object, that the cluster itself makes of what we apply.
    """
    marks = pieces.marks()
    lease = next((each.lease for each in marks if each.lease is not None), None)
    if lease is None:
        return None
    deployments = pieces.deployments
    replicas = sum(each.replicas for each in deployments)
    replicas_ready = sum(pod.ready and not pod.marks.deleting for pod in pieces.pods)
    rolled_out = all(each.rolled_out and each.ready >= each.replicas for each in deployments)
    paused = bool(deployments) and replicas == 0
    digests = {each.marks.digest for each in pieces.applied()}
    return Running(
        id=workload,
        lease=lease,
        digest=digests.pop() if len(digests) == 1 else "",
        paused=paused,
        ready=0 < replicas <= replicas_ready and rolled_out and not _missing(pieces),
        replicas_ready=replicas_ready,
        replicas=replicas,
        removing=any(each.marks.deleting for each in deployments) or not pieces.applied(),
        drifted=_drifted(pieces, tolerated),
        trouble=trouble_of(deployments, pieces.pods),
        pods=_living(pieces),
    )


def _living(pieces: Pieces) -> tuple[str, ...]:
    """Pods of the Deployments' newest specifications; those of former ones go by themselves."""
    newest = {(each.marks.service, each.marks.spec) for each in pieces.deployments}
    here = (pod for pod in pieces.pods if not pod.over and not pod.marks.deleting)
    return tuple(sorted(p.marks.name for p in here if (p.marks.service, p.marks.spec) in newest))


def _missing(pieces: Pieces) -> bool:
    wanted = {part for marks in pieces.marks() for part in marks.parts if part.startswith("deployment/")}
    return bool(wanted - {f"deployment/{each.marks.name}" for each in pieces.deployments})


def _drifted(pieces: Pieces, tolerated: Mapping[str, str]) -> bool:
    """Each Deployment has a policy, whatever an earlier version of this program has written in its parts."""
    here = pieces.parts()
    wanted = {part for marks in pieces.marks() for part in marks.parts}
    wanted |= {f"networkpolicy/{each.marks.name}" for each in pieces.deployments}
    if not here:
        return False
    return wanted != here.keys() or any(
        difference and tolerated.get(part) != difference for part, difference in here.items()
    )


def capacity_of(
    nodes: Iterable[NodeView],
    pods: Iterable[PodView],
    strangers: Iterable[ForeignPodView],
    quota: Resources | None,
) -> Capacity:
    """What ready nodes offer us: all of it less strangers' pods, and node by node less our own pods too."""
    offers = {node.name: node.offers for node in nodes if node.offers is not None}
    left = dict(offers)
    for stranger in strangers:
        if stranger.node in left:
            left[stranger.node] = left[stranger.node] - stranger.uses
    whole = total([_not_below_nothing(room) for room in left.values()])
    for pod in pods:
        if pod.node in left and not pod.over:
            left[pod.node] = left[pod.node] - pod.uses
    free = tuple(_not_below_nothing(left[name]) for name in sorted(left))
    return Capacity(whole, free, quota)


def _not_below_nothing(room: Resources) -> Resources:
    return Resources(
        max(room.cpu_milli, 0), max(room.memory_bytes, 0), max(room.storage_bytes, 0), max(room.gpu, 0)
    )
