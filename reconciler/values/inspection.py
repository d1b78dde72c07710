"""What an adapter tells of one workload when asked beside the cycle."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.values.text import clean_fields


class UseSource(StrEnum):
    """Where figures of use come from: measured by the machines, or only what was asked of them."""

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
class WorkloadUse:
    """A workload's use. `why` says why it was not measured ("": it was), `at` in unix seconds (0: now)."""

    source: UseSource
    containers: tuple[ContainerUse, ...]
    why: str = ""
    at: int = 0

    def __post_init__(self) -> None:
        """Bound and clean what quotes an answer."""
        clean_fields(self, "why")


@dataclass(frozen=True, slots=True)
class WorkloadEvent:
    """What the machines said about one of a workload's objects, `count` times, in unix seconds."""

    last_at: int
    first_at: int
    warning: bool
    reason: str
    about: str
    message: str
    count: int

    def __post_init__(self) -> None:
        """Bound and clean what quotes the machines."""
        clean_fields(self, "reason", "about", "message")


@dataclass(frozen=True, slots=True)
class WorkloadEvents:
    """Newest first; not `complete` where there were more than is read at once."""

    listed: tuple[WorkloadEvent, ...]
    complete: bool = True
