"""Views of one workload: explanation, resource usage and events. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.reports.explanation import ExplanationStep
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import ContainerUse, UseSource, WorkloadEvent, WorkloadUse
from reconciler.values.times import Timestamp


@dataclass(frozen=True, slots=True)
class ExplanationView:
    """`GET /api/v1/workloads/{id}/explain`: why the workload is in its state, from the order to the next
    retry.
    """

    id: WorkloadId
    steps: tuple[ExplanationStep, ...]


@dataclass(frozen=True, slots=True)
class UseView:
    """`GET /api/v1/workloads/{id}/metrics`: usage in total and by container. `source` is
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
    """`GET /api/v1/workloads/{id}/events`: newest first; `complete` is false if more events exist."""

    id: WorkloadId
    events: tuple[WorkloadEvent, ...]
    complete: bool


def use_view(workload: WorkloadId, use: WorkloadUse) -> UseView:
    """The usage of a workload with its totals."""
    return UseView(
        id=workload,
        source=use.source,
        why=use.why,
        at=use.at,
        cpu_milli=sum(each.cpu_milli for each in use.containers),
        memory_bytes=sum(each.memory_bytes for each in use.containers),
        containers=use.containers,
    )
