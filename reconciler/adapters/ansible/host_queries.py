"""What a host tells of one workload when asked: its last lines, what it uses, what happened to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from reconciler.adapters.ansible.answers import (
    EventAnswer,
    HostEventsAnswer,
    HostUseAnswer,
    LogsAnswer,
)
from reconciler.adapters.ansible.host_observer import SPARE_SECONDS
from reconciler.adapters.ansible.host_spec import asking
from reconciler.adapters.ansible.runs import Play, Player, RunError
from reconciler.adapters.ansible.troubles import host_trouble
from reconciler.documents.typed_json import decode_json
from reconciler.values.hosts import AnsibleGroup, AnsibleSettings
from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import ContainerUse, UseSource, WorkloadEvent, WorkloadEvents, WorkloadUse

LOG_MAX_BYTES = 1 << 20
Where = tuple[AnsibleGroup, str] | None
Form = TypeVar("Form")
_WARNINGS = frozenset({"died", "die", "kill", "oom"})


class HostQueries:
    """A run for each question; waits for it. OSError with a sentence where there is no answer."""

    def __init__(self, runs: Player, settings: AnsibleSettings) -> None:
        self._runs = runs
        self._settings = settings

    def logs(self, where: Where, workload: WorkloadId, lines: int) -> Iterator[bytes]:
        """Each line after its container's name; at most 1 MiB in all."""
        found = self._ask(where, LogsAnswer, "logs", workload=workload, lines=lines) if where else None
        if found is None or not found.containers:
            raise OSError(
                f"workload {workload} has no containers: it is paused, or not there; see its status"
            )
        return _lines(found)

    def use(self, where: Where, workload: WorkloadId) -> WorkloadUse:
        """As the engine measured it just now."""
        if where is None:
            return WorkloadUse(UseSource.REQUESTS, (), "it has no containers")
        found = self._ask(where, HostUseAnswer, "use", workload=workload)
        uses = tuple(ContainerUse(e.name, e.service, e.cpu_milli, e.memory_bytes) for e in found.containers)
        source = UseSource.METRICS if uses else UseSource.REQUESTS
        return WorkloadUse(source, uses, found.why, found.at)

    def happenings(self, where: Where, workload: WorkloadId) -> WorkloadEvents:
        """Newest first, of one day."""
        if where is None:
            return WorkloadEvents(())
        found = self._ask(where, HostEventsAnswer, "happenings", workload=workload)
        return WorkloadEvents(tuple(map(_happening, found.events)), found.complete)

    def _ask(self, where: tuple[AnsibleGroup, str], form: type[Form], operation: str, **more: Any) -> Form:
        group, host = where
        seconds = self._settings.patience.look
        order = asking(operation, group.engine, self._settings, seconds, **more)
        try:
            answer = self._runs.run(Play("ask", group, {host: order}, seconds + SPARE_SECONDS)).get(host)
        except RunError as why:
            raise OSError(f"host {host}: {why}") from why
        if answer is None or answer.state != "ok":
            trouble = host_trouble(host, answer.words if answer else "", answer.step if answer else "")
            raise OSError(f"{trouble.message}; {trouble.advice}")
        try:
            return decode_json(answer.answer, form)
        except msgspec.MsgspecError as why:
            raise OSError(f"host {host} answered what cannot be read: {why}") from why


def _lines(found: LogsAnswer) -> Iterator[bytes]:
    room = LOG_MAX_BYTES
    for each in found.containers:
        prefix = f"{each.service}/{each.name.rpartition('-')[2]} | ".encode()
        for line in each.text.splitlines():
            whole = prefix + line + b"\n"
            room -= len(whole)
            if room < 0:
                yield b"(cut: more than 1 MiB; ask for fewer lines)\n"
                return
            yield whole


def _happening(event: EventAnswer) -> WorkloadEvent:
    ended = event.reason in ("died", "die")
    message = f"ended with {event.code}" if ended else f"image {event.image}"
    return WorkloadEvent(
        last_at=event.at,
        first_at=event.at,
        warning=event.reason in _WARNINGS,
        reason=event.reason,
        about=f"container/{event.name}",
        message=message,
        count=1,
    )
