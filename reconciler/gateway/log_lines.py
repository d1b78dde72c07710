"""Log lines and events of a lease, as tenants may see them. Pure."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from reconciler.values.ids import WorkloadId
from reconciler.values.inspection import WorkloadEvent

TAIL_MAX = 10_000
FOLLOWED_LINES = 500
"""Lines of each container that are compared to find new ones."""

LINE_MAX_CHARACTERS = 16_384

NOTES_SHOWN = frozenset(
    {
        *("Pulling", "Pulled", "Created", "Started", "Killing", "BackOff", "Unhealthy", "Completed"),
        *("ScalingReplicaSet", "SuccessfulCreate", "SuccessfulDelete", "OOMKilled"),
    }
)
"""Reasons whose notes are about the tenant's own containers; notes of others name machines and paths."""

KINDS = {"replicaset": "ReplicaSet", "statefulset": "StatefulSet", "networkpolicy": "NetworkPolicy"}
"""Kinds in the cluster's spelling, where a capital first letter is not enough."""


@dataclass(frozen=True, slots=True)
class ContainerLine:
    """A line of a container: its service, the container's short name, the text."""

    service: str
    container: str
    text: str

    @property
    def source(self) -> str:
        """The container, unique in its lease."""
        return f"{self.service}-{self.container}"

    def to_json(self) -> str:
        """The frame that the clients decode."""
        return json.dumps({"name": self.source, "message": self.text}, separators=(",", ":"))


def parsed_lines(lines: Iterable[bytes], permits: Callable[[str], bool]) -> Iterator[ContainerLine]:
    """Lines of adapters (`service/container | text`) of permitted services."""
    for line in lines:
        head, separator, text = line.decode(errors="replace").rstrip("\n").partition(" | ")
        service, slash, container = head.partition("/")
        if separator and slash and permits(service):
            yield ContainerLine(service, container, text[:LINE_MAX_CHARACTERS])


@dataclass(slots=True)
class Follower:
    """Finds the new lines in what is read again and again; of more than FOLLOWED_LINES, some are missed."""

    _last: dict[str, array[int]] = field(default_factory=dict)
    """Hashes of lines: 4 KB a container, however long the lines are."""

    def new(self, lines: Iterable[ContainerLine], tail: int = TAIL_MAX) -> list[ContainerLine]:
        """The lines that follow those of the last call, in the order of their containers; of a container that
        is new, the last `tail`.
        """
        by_source: dict[str, list[ContainerLine]] = {}
        for line in lines:
            by_source.setdefault(line.source, []).append(line)
        found: list[ContainerLine] = []
        for source, read in by_source.items():
            hashes = array("q", (hash(line.text) for line in read))
            last = self._last.get(source)
            known = max(len(read) - tail, 0) if last is None else overlap(last, hashes)
            found += read[known:]
            self._last[source] = hashes[-FOLLOWED_LINES:]
        for gone in self._last.keys() - by_source.keys():
            del self._last[gone]
        return found


def overlap(before: Sequence[Hashable], now: Sequence[Hashable]) -> int:
    """The most lines with which `before` ends and `now` begins; linear."""
    pattern = [*now, None, *before]
    lengths = [0] * len(pattern)
    for place in range(1, len(pattern)):
        length = lengths[place - 1]
        while length and pattern[place] != pattern[length]:
            length = lengths[length - 1]
        lengths[place] = length + (pattern[place] == pattern[length])
    return lengths[-1] if before and now else 0


def event_service(event: WorkloadEvent, workload: WorkloadId) -> str:
    """The service that an event's object belongs to; "" if none is known."""
    service, found, _ = event.about.partition("/")[2].partition(f"-{workload}")
    return service if found else ""


def event_json(event: WorkloadEvent) -> str:
    """The frame that the clients decode, without names of machines and namespaces."""
    kind, _, name = event.about.partition("/")
    return json.dumps(
        {
            "type": "Warning" if event.warning else "Normal",
            "reason": event.reason,
            "note": event.message if event.reason in NOTES_SHOWN else "",
            "object": {"kind": KINDS.get(kind, kind.capitalize()), "namespace": "", "name": name},
        },
        separators=(",", ":"),
    )
