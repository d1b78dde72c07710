"""The last finished cycle, as the HTTP API and the metrics show it; swapped whole, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from reconciler.values.funding import HEALTHY, TimeLeft
from reconciler.values.ids import LeaseId, WorkloadId
from reconciler.values.intents import IntentOutcome
from reconciler.values.lifecycle import Phase
from reconciler.values.observed import State, Trouble
from reconciler.values.plans import Hold, Plan
from reconciler.values.resources import Resources


class CycleOutcome(StrEnum):
    """How a cycle ended: nothing to do, effects tried, effects withheld as a source was unseen, or failed."""

    QUIET = "quiet"
    ACTED = "acted"
    BLIND = "blind"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CycleRecord:
    """When the last cycle began and ended (unix seconds, host's clock), how, in what words it failed, and how
    many in a row have failed (0: it did not).
    """

    started_at: int
    finished_at: int
    duration_seconds: float
    outcome: CycleOutcome
    why: str = ""
    plan_digest: str = ""
    actions: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class ReadingAge:
    """A source of the cycle: when it was last seen (unix seconds, 0: never) and why it is unseen now ("":
    it is seen).
    """

    source: str
    seen_at: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class WorkloadSnapshot:
    """A workload of ours; `price` in uve a block is its lease's, `replicas_ready` of `replicas` pods run."""

    id: WorkloadId
    lease: LeaseId
    adapter: str
    phase: Phase
    lease_state: State
    price: Decimal
    billing: str = "lease"
    path: str = ""
    ready: bool = False
    replicas_ready: int = 0
    replicas: int = 0
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class LeaseSnapshot:
    """An active lease: its price in uve a block, what accrued and what was withdrawn, gross uve."""

    id: LeaseId
    state: State
    price: Decimal
    accrued: int = 0
    withdrawn: int = 0
    withdrawn_at: int = 0
    funding: TimeLeft = HEALTHY


@dataclass(frozen=True, slots=True)
class BidSnapshot:
    """An open bid of ours: price in uve a block, locked deposit in uve, the height it was made at."""

    id: LeaseId
    state: State
    price: Decimal
    deposit: int
    created_at: int = 0


@dataclass(frozen=True, slots=True)
class IntentSnapshot:
    """A transaction that is not confirmed yet: messages in the operator's words, its fee in uve."""

    hash: str
    messages: tuple[str, ...]
    fee: int
    timeout_height: int


@dataclass(frozen=True, slots=True)
class BookTotals:
    """Money in uve: spendable, locked in our bids, earned (net of what was put in), accrued on leases, and
    received from payments and settlements since the journal began, net of the chain's cut.
    """

    balance: int = 0
    deposits: int = 0
    earned: int = 0
    accrued: int = 0
    fees: int = 0
    received: int = 0


@dataclass(frozen=True, slots=True)
class Counters:
    """Totals that only rise: of bids and of ended transactions (by their fate) since the journal began, of
    cycles since the daemon started.
    """

    bids_placed: int = 0
    bids_won: int = 0
    cycles: Mapping[CycleOutcome, int] = field(default_factory=dict)
    ended: Mapping[IntentOutcome, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommitSnapshot:
    """A commit: the first line of its message, when it was made (desired) or first seen (published)."""

    id: str
    at: int
    subject: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class CapacitySnapshot:
    """What the machines offer, what of it may be promised (ceiling and reserve taken off), and what leases
    and open bids claim.
    """

    offered: Resources
    sellable: Resources
    promised: Resources


@dataclass(frozen=True, slots=True)
class RevisionTimes:
    """Unix seconds of the host: since when the newest commit waits to be in force, and since when something
    waits to be published; 0: nothing waits. `seen`, `applied` and `published` are when each last changed.
    """

    seen: int = 0
    applied: int = 0
    published: int = 0
    unapplied_since: int = 0
    unpublished_since: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is shown. `height` 0 and empty texts mean: not seen yet.

    `desired` is the newest commit of the state repository, `applied` the one in force, `published` the last
    pushed status commit; `chain_time` in unix seconds; `unpublished` counts events that no pushed commit
    tells; `failed_threads` are background threads that an exception has ended, each with what it was.
    """

    provider: str = ""
    address: str = ""
    chain_id: str = ""
    height: int = 0
    chain_time: int = 0
    desired: str = ""
    applied: str = ""
    published: str = ""
    observe_only: bool = False
    spending_stopped: bool = False
    draining: bool = False
    orders_open: int = 0
    books: BookTotals = BookTotals()
    counters: Counters = Counters()
    cycle: CycleRecord | None = None
    readings: tuple[ReadingAge, ...] = ()
    leases: tuple[LeaseSnapshot, ...] = ()
    bids: tuple[BidSnapshot, ...] = ()
    workloads: tuple[WorkloadSnapshot, ...] = ()
    intents: tuple[IntentSnapshot, ...] = ()
    holds: tuple[Hold, ...] = ()
    plan: Plan | None = None
    capacity: CapacitySnapshot | None = None
    desired_commit: CommitSnapshot | None = None
    published_commit: CommitSnapshot | None = None
    times: RevisionTimes = RevisionTimes()
    unpublished: int = 0
    failed_threads: tuple[str, ...] = ()

    def holds_of(self, *subjects: str) -> tuple[Hold, ...]:
        """The holds whose subject is one of these ids."""
        return tuple(h for h in self.holds if h.subject in subjects)
