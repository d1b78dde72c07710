"""The services of the workloads of one cycle. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.planning.revisions.admission import desired_at
from reconciler.values.ids import WorkloadId, workload_id
from reconciler.values.memory import WorkloadMemory
from reconciler.values.observed import ObservedWorkload
from reconciler.values.readings import Seen
from reconciler.values.views import ServiceView


class ServiceViews(Mapping[WorkloadId, tuple[ServiceView, ...]]):
    """The services of each workload, by name; built when they are read, as few of them ever are."""

    def __init__(self, planned: PlannedCycle) -> None:
        self._inputs = planned.inputs
        self._memory = planned.plan.memory.workloads
        self._desired = desired_at(planned.inputs.desired, planned.plan.revision)

    def __getitem__(self, id: WorkloadId) -> tuple[ServiceView, ...]:  # noqa: A002  # its word
        memory = self._memory[id]
        observed = self._observed(memory)
        ready = dict(observed.ready_by_service) if observed else {}
        wanted = self._desired.workloads.get(id) if self._desired else None
        if wanted is None:
            return tuple(ServiceView(name, count, count) for name, count in ready.items())
        running = observed is not None and not observed.paused
        return tuple(
            ServiceView(each.name, each.count, ready.get(each.name, 0) if running else 0)
            for each in wanted.services
        )

    def __iter__(self) -> Iterator[WorkloadId]:
        return iter(self._memory)

    def __len__(self) -> int:
        return len(self._memory)

    def _observed(self, memory: WorkloadMemory) -> ObservedWorkload | None:
        view = self._inputs.adapters.get(memory.adapter)
        if view is None or not isinstance(view.workloads, Seen):
            return None
        return view.workloads.view.get(workload_id(memory.lease))
