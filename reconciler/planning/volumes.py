"""Persistent volumes: changes that would lose their data, and what is kept of removed workloads; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from reconciler.planning.planning_input import PlanningBasis
from reconciler.values.desired import Service, Workload
from reconciler.values.ids import WorkloadId
from reconciler.values.observed import AdapterView, ObservedWorkload
from reconciler.values.plans import Hold, Reason
from reconciler.values.readings import Seen
from reconciler.values.resources import MB
from reconciler.values.subjects import Subject
from reconciler.values.times import utc_text
from reconciler.values.volumes import PersistentVolume


def volume_change(workload: Workload, running: ObservedWorkload | None) -> Hold | None:
    """A change of the persistent volumes of an existing service: its adapter cannot make it in place."""
    existing = dict(running.volumes) if running else {}
    for service in workload.services:
        there = existing.get(service.name)
        if there is None or there == (wanted := _volumes(service)):
            continue
        why = (
            f"the persistent volumes of service {service.name} cannot be changed in place from "
            f"{_describe(there)} to {_describe(wanted)}: {_loss(there)}; restore them in the file, or give "
            "the service another name, which starts it with new volumes"
        )
        return Hold(Subject.of_workload(workload.id), Reason.VOLUMES_DIFFER, why, ours=True)
    return None


def volumes_elsewhere(basis: PlanningBasis) -> Mapping[WorkloadId, str]:
    """Workloads whose persistent volumes exist on an adapter other than that of their file, with its name."""
    files, found = basis.desired.workloads, {}
    for name, view in sorted(basis.adapters.items()):
        there = stateful_workloads(view)
        found.update({each: name for each in there if each in files and files[each].adapter != name})
    return found


def stateful_workloads(view: AdapterView) -> Set[WorkloadId]:
    """Workloads that have persistent volumes on an adapter, running or kept."""
    seen = view.workloads.view.values() if isinstance(view.workloads, Seen) else ()
    stateful = {each.id for each in seen if any(volumes for _, volumes in each.volumes)}
    return stateful.union(kept.workload for kept in view.kept_volumes)


def other_adapter(workload: Workload, elsewhere: str) -> Hold:
    """A start on another adapter than that of its volumes, which would begin with empty ones."""
    why = (
        f"its persistent volumes are on adapter {elsewhere}, and nothing moves them: it would start empty; "
        f"name adapter {elsewhere} in the file again"
    )
    return Hold(Subject.of_workload(workload.id), Reason.VOLUMES_DIFFER, why, ours=True)


def kept_volume_holds(basis: PlanningBasis) -> Iterator[Hold]:
    """The volumes of removed workloads, until they are deleted."""
    for name, view in sorted(basis.adapters.items()):
        for kept in view.kept_volumes:
            size = f"{kept.size_bytes // MB} MB of persistent volumes"
            end = f"until {utc_text(kept.until)}, then deleted"
            end = end if kept.until > basis.now else "until its lease is closed, then deleted"
            why = f"{size} of its lease are kept on adapter {name} {end}"
            yield Hold(Subject.of_workload(kept.workload), Reason.VOLUMES_KEPT, why)


def _volumes(service: Service) -> tuple[PersistentVolume, ...]:
    return tuple(
        sorted(PersistentVolume(v.name, v.storage_class, v.size_bytes) for v in service.persistent_volumes)
    )


def _describe(volumes: tuple[PersistentVolume, ...]) -> str:
    return ", ".join(map(str, volumes)) or "none"


def _loss(there: tuple[PersistentVolume, ...]) -> str:
    if not there:
        return "its containers, and all that they wrote, would be replaced"
    return f"the data of {', '.join(each.name for each in there)} would be lost"
