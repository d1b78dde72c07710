"""Queries about one workload to its host: logs, resource usage, events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from reconciler.adapters.ansible.host_spec import host_request
from reconciler.adapters.ansible.responses import EngineEvent, EngineEvents, MeasuredWorkload, WorkloadLogs
from reconciler.adapters.ansible.runner import MISSING, SPARE_SECONDS, Play, PlayRunner, RunError
from reconciler.adapters.ansible.troubles import host_trouble
from reconciler.values.hosts import AnsibleGroup, AnsibleSettings
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import (
    ContainerUse,
    UseSource,
    WorkloadEvent,
    WorkloadEvents,
    WorkloadUse,
    log_lines,
)
from reconciler.values.times import Timestamp

Location = tuple[AnsibleGroup, str] | None
"""The group and name of a workload's host; None if nothing of it exists."""

Form = TypeVar("Form")
_WARNINGS = frozenset({"died", "die", "kill", "oom"})


class HostQueries:
    """Runs one play for each query and waits for it; OSError with a sentence if there is no response."""

    def __init__(self, runner: PlayRunner, settings: AnsibleSettings) -> None:
        self._runner = runner
        self._settings = settings

    def logs(self, location: Location, workload: WorkloadId, lines: int) -> Iterator[bytes]:
        """As `ports.Adapter`."""
        found = self._query(location, WorkloadLogs, "logs", workload=workload, lines=lines)
        if found is None or not found.containers:
            raise OSError(
                f"workload {workload} has no containers: it is paused or not deployed; see its status"
            )
        return log_lines((each.service, each.name, each.text.splitlines()) for each in found.containers)

    def use(self, location: Location, workload: WorkloadId) -> WorkloadUse:
        """As the engine measures it now."""
        found = self._query(location, MeasuredWorkload, "usage", workload=workload)
        if found is None:
            return WorkloadUse(UseSource.REQUESTS, (), "it has no containers")
        uses = tuple(ContainerUse(e.name, e.service, e.cpu_milli, e.memory_bytes) for e in found.containers)
        source = UseSource.METRICS if uses else UseSource.REQUESTS
        return WorkloadUse(source, uses, found.why, Timestamp(found.at))

    def events(self, location: Location, workload: WorkloadId) -> WorkloadEvents:
        """The engine's events of one day, newest first."""
        found = self._query(location, EngineEvents, "events", workload=workload)
        return (
            WorkloadEvents(tuple(map(_event, found.events)), found.complete) if found else WorkloadEvents(())
        )

    def _query(self, location: Location, form: type[Form], operation: str, **arguments: Any) -> Form | None:
        if location is None:
            return None
        group, host = location
        seconds = self._settings.timeouts.observe
        request = host_request(operation, group.engine, self._settings, seconds, **arguments)
        try:
            play = Play(operation, group, {host: request}, seconds + SPARE_SECONDS)
            result = self._runner.run(play).get(host, MISSING)
            if result.state == "ok":
                return result.decode(form)
        except RunError as error:
            raise OSError(f"host {host}: {error}") from error
        trouble = host_trouble(host, result.message, result.step)
        raise OSError(f"{trouble.message}; {trouble.advice}")


def _event(event: EngineEvent) -> WorkloadEvent:
    exited = event.reason in ("died", "die")
    return WorkloadEvent(
        last_at=Timestamp(event.at),
        first_at=Timestamp(event.at),
        warning=event.reason in _WARNINGS,
        reason=event.reason,
        about=f"container/{event.name}",
        message=f"exited with {event.exit_code}" if exited else f"image {event.image}",
        count=1,
    )
