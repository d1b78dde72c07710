"""Effects outside the cycle's thread: handed to the work queue of their target, in flight, ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.values.ids import workload_id
from reconciler.values.outcomes import Outcome
from reconciler.values.plans import (
    Action,
    ApplyWorkload,
    NotifyTenant,
    PrepareAdapter,
    Rebroadcast,
    RemoveWorkload,
    SendTransaction,
)

GIT = "git/status"
SNAPSHOT = "git/snapshot"
TENANTS = "git/tenants"
NOTICES = "notices/webhook"
FORGE = "forge/commits"
"""Targets that are no adapters; an adapter's target is its name, which contains no slash."""


@dataclass(frozen=True, slots=True, order=True)
class WorkKey:
    """An object on a target, such as a workload on an adapter. A queue runs one effect per key at a time."""

    target: str
    name: str

    def __str__(self) -> str:
        return f"{self.target} {self.name}"


def work_key(action: Action) -> WorkKey | None:
    """The object that an action changes; None for a transaction, which no queue takes."""
    match action:
        case PrepareAdapter(adapter=adapter):
            return WorkKey(adapter, "")
        case ApplyWorkload(workload=workload):
            return WorkKey(workload.adapter, workload.id)
        case RemoveWorkload(adapter=adapter, id=removed):
            return WorkKey(adapter, removed)
        case NotifyTenant(lease=lease):
            return WorkKey(NOTICES, workload_id(lease))
        case SendTransaction() | Rebroadcast():
            return None


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One effect on the object of its key; `action` is None for effects that no plan contains."""

    key: WorkKey
    description: str
    action: Action | None = None

    @property
    def is_removal(self) -> bool:
        """Whether it removes the object."""
        return isinstance(self.action, RemoveWorkload)

    @property
    def goes_first(self) -> bool:
        """Whether later items of its target start only after it ended, as they need what it creates."""
        return isinstance(self.action, PrepareAdapter)


@dataclass(frozen=True, slots=True)
class InFlight:
    """An item that was submitted and has not ended; `since` in unix seconds of the host."""

    item: WorkItem
    since: int
    is_running: bool = False


@dataclass(frozen=True, slots=True)
class WorkResult:
    """How an item ended, and when (unix seconds of the host)."""

    item: WorkItem
    outcome: Outcome
    ended_at: int


InFlightActions = Mapping[WorkKey, Action]


def latest_actions(in_flight: Iterable[InFlight]) -> InFlightActions:
    """The action of each key that takes effect last: a queued one follows the running one."""
    ordered = sorted(in_flight, key=lambda each: not each.is_running)
    return {each.item.key: each.item.action for each in ordered if each.item.action is not None}


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    """One queue: items queued and running, when the oldest was submitted (unix seconds; 0: none), and totals
    since the daemon started.

    `retries` are items submitted after their key's last one failed, `refused` those that did not fit;
    `latencies` are the seconds from submission to end of the items that ended, by histogram bucket.
    """

    target: str
    queued: int = 0
    running: int = 0
    oldest_since: int = 0
    retries: int = 0
    refused: int = 0
    latencies: tuple[tuple[str, int], ...] = ()
    latency_seconds: float = field(default=0.0)
