"""Persistent volumes of a cluster: what is kept of removed workloads, and what is left to promise; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from reconciler.adapters.kubernetes.views import ClaimView
from reconciler.adapters.kubernetes.workload_view import WorkloadObjects
from reconciler.values.clusters import VolumeClass
from reconciler.values.ids import WorkloadId
from reconciler.values.observed import ObservedWorkload
from reconciler.values.resources import Parts
from reconciler.values.volumes import KeptVolumes

FRAME = ("namespace/", "limitrange/", "resourcequota/", "networkpolicy/")
"""Kinds of objects that stay in a workload's own namespace while its volumes are kept there."""


def kept_volumes(
    claims: Iterable[ClaimView], groups: Mapping[WorkloadId, WorkloadObjects], grace_seconds: int
) -> Iterator[KeptVolumes]:
    """The volumes of workloads that were removed and of which nothing else is left."""
    by_workload: dict[WorkloadId, list[ClaimView]] = {}
    for claim in claims:
        by_workload.setdefault(claim.meta.workload, []).append(claim)
    for workload, found in sorted(by_workload.items()):
        lease = found[0].meta.lease
        is_released = all(each.released_at for each in found)
        if lease is not None and is_released and _has_no_services(groups.get(workload)):
            size = sum(each.volume.size_bytes for each in found)
            yield KeptVolumes(workload, lease, size, max(each.released_at for each in found) + grace_seconds)


def expired_workload(kept: KeptVolumes) -> ObservedWorkload:
    """A workload of which only volumes are left, which are to be deleted."""
    return ObservedWorkload(kept.workload, kept.lease, "", False, False, 0, 0)


def offered_volumes(
    classes: Iterable[VolumeClass], existing: Iterable[str], claims: Iterable[ClaimView]
) -> Parts[str]:
    """The bytes of each class that exists in the cluster, less those of kept volumes, which no lease pays."""
    kept: Counter[str] = Counter()
    for claim in claims:
        if claim.released_at:
            kept[claim.volume.storage_class] += claim.volume.size_bytes
    names = set(existing)
    return tuple(
        (each.storage_class, max(each.capacity_bytes - kept[each.storage_class], 0))
        for each in classes
        if each.name in names
    )


def _has_no_services(group: WorkloadObjects | None) -> bool:
    if group is None:
        return True
    rest = (each.part for each in group.parts)
    return not group.controllers and not group.pods and all(part.startswith(FRAME) for part in rest)
