"""Live queries of one workload, outside the cycle: logs, resource usage, events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.values.text import clean_fields
from reconciler.values.times import Timestamp

LOG_MAX_BYTES = 1 << 20


class UseSource(StrEnum):
    """Whether figures are measured, or only what the containers requested."""

    METRICS = "metrics"
    REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class ContainerUse:
    """One container: millicores, bytes."""

    pod: str
    container: str
    cpu_milli: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class ServiceUse:
    """What the ready pods of a service use together, as measured: millicores, bytes, of so many pods."""

    service: str
    cpu_milli: int = 0
    memory_bytes: int = 0
    pods: int = 0


@dataclass(frozen=True, slots=True)
class WorkloadUse:
    """A workload's usage; `why` says why it is not measured ("": it is)."""

    source: UseSource
    containers: tuple[ContainerUse, ...]
    why: str = ""
    at: Timestamp = field(default_factory=Timestamp)

    def __post_init__(self) -> None:
        """Bound and clean text from outside."""
        clean_fields(self, "why")


@dataclass(frozen=True, slots=True)
class WorkloadEvent:
    """A cluster's or engine's event about one object of a workload, `count` times."""

    last_at: Timestamp
    first_at: Timestamp
    warning: bool
    reason: str
    about: str
    message: str
    count: int

    def __post_init__(self) -> None:
        """Bound and clean text from outside."""
        clean_fields(self, "reason", "about", "message")


@dataclass(frozen=True, slots=True)
class WorkloadEvents:
    """Newest first; not `complete` if there were more than the limit."""

    listed: tuple[WorkloadEvent, ...]
    complete: bool = True


def log_lines(logs: Iterable[tuple[str, str, Iterable[bytes]]]) -> Iterator[bytes]:
    """The lines of containers (service, pod or container name, lines), each prefixed with its container;
    bounded to LOG_MAX_BYTES in all, with a last line that says so.
    """
    room = LOG_MAX_BYTES
    for service, name, lines in logs:
        prefix = f"{service}/{name.rpartition('-')[2]} | ".encode()
        for line in lines:
            prefixed = prefix + line + b"\n"
            room -= len(prefixed)
            if room < 0:
                yield b"(truncated at 1 MiB; request fewer lines)\n"
                return
            yield prefixed
