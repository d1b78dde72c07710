"""One workload with what belongs to it: its lease, usage, events and explanation. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.reports.explanation import ExplanationStep
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import ContainerUse, UseSource, WorkloadEvent, WorkloadUse
from reconciler.values.times import Timestamp


@dataclass(frozen=True, slots=True)
class ExplanationView:
    """`GET /api/v1/workloads/{id}/explain`: from the order to the next try, why it is as it is."""

    id: WorkloadId
    steps: tuple[ExplanationStep, ...]


@dataclass(frozen=True, slots=True)
class UseView:
    """`GET /api/v1/workloads/{id}/metrics`: what all its containers use together, and each. `source` is
    metrics (measured) or requests (what the containers requested, and `why` it was not measured).
    """

    id: WorkloadId
    source: UseSource
    why: str
    at: Timestamp
    cpu_milli: int
    memory_bytes: int
    containers: tuple[ContainerUse, ...]


@dataclass(frozen=True, slots=True)
class WorkloadEventsView:
    """`GET /api/v1/workloads/{id}/events`: newest first; not `complete` if there are more than are read."""

    id: WorkloadId
    events: tuple[WorkloadEvent, ...]
    complete: bool


def use_view(workload: WorkloadId, use: WorkloadUse) -> UseView:
    """The use of a workload with its sums."""
    return UseView(
        id=workload,
        source=use.source,
        why=use.why,
        at=use.at,
        cpu_milli=sum(each.cpu_milli for each in use.containers),
        memory_bytes=sum(each.memory_bytes for each in use.containers),
        containers=use.containers,
    )
