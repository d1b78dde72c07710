"""Persistent volumes: changes that would lose their data, and what is kept of removed workloads; pure."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.planning.planning_input import PlanningBasis
from reconciler.values.desired import Service, Workload
from reconciler.values.observed import ObservedWorkload
from reconciler.values.plans import Hold, Reason
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


def kept_volume_holds(basis: PlanningBasis) -> Iterator[Hold]:
    """The volumes of removed workloads, until they are deleted."""
    for name, view in sorted(basis.adapters.items()):
        for kept in view.kept_volumes:
            size = f"{kept.size_bytes // MB} MB of persistent volumes"
            why = f"{size} of its lease are kept on adapter {name} until {utc_text(kept.until)}, then deleted"
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
