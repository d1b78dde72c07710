"""What the planner asks to be told next time; part of the plan, kept by the journal. Only facts: never a
promise that an effect took place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from reconciler.values.approvals import Approval, Breach
from reconciler.values.ids import LeaseId, WorkloadId
from reconciler.values.lifecycle import Phase
from reconciler.values.subjects import EffectKey


@dataclass(frozen=True, slots=True)
class Retry:
    """How often something failed in a row, when it may be tried next (unix seconds; 0: never again) and in
    what words it failed.
    """

    failures: int
    next_try: int
    reason: str
    why: str
    advice: str = ""

    @property
    def times(self) -> str:
        """How often, in words."""
        return "once" if self.failures == 1 else f"{self.failures} times"


@dataclass(frozen=True, slots=True)
class WorkloadMemory:
    """A lease that we serve: its phase, and the two rising heights at which it was seen closed (0: no).

    `pods` are those last seen of the specification `digest`: one that is missing was removed by somebody.
    """

    lease: LeaseId
    adapter: str
    phase: Phase
    closed_first: int = 0
    closed_again: int = 0
    usage_billed: bool = False
    digest: str = ""
    pods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UsageMemory:
    """What ran of a usage-billed lease, in chain time (unix seconds).

    `billed_until` is the end of the last period on record or of proof; `ran_seconds` what ran since, as far
    as two neighbouring
    looks prove it; `seen_running` the last look at which it ran (0: it did not), `withdrawn` what the lease
    itself had paid
    (gross uve, with what has accrued) at `billed_until`.
    """

    billed_until: int
    ran_seconds: int = 0
    seen_running: int = 0
    lease_paid: int = 0


@dataclass(frozen=True, slots=True)
class WalletLedger:
    """The wallet's history in uve: what it held with deposits when the journal began, what came from or went
    to outside since, fees paid, spending of the last hour.
    """

    started_with: int = 0
    outside: int = 0
    fees: int = 0
    spent: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class PriceSpan:
    """A price, its margin counted in, was between `low` and `high` until then (unix seconds of the host); 0:
    it is in force.
    """

    until: int
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class PastDisruption:
    """A workload was stopped, moved or replaced by a revision put in force then (unix seconds of the host).

    `approved`: by one that the owner approved; `before` identifies what ran for it until then.
    """

    at: int
    approved: bool = False
    before: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """What one cycle passes to the next.

    `notified` are the notices that tenants have got; `waiting` is what the owner may approve now and
    `approvals` what is approved, by their digests; `height_time` is the time of the block `height` (unix
    seconds; 0: not known); `prices` are those in force within the window, by their keys, and `disrupted` is
    what revisions did to workloads within it.
    """

    applied: str = ""
    good: Mapping[str, str] = field(default_factory=dict)
    workloads: Mapping[WorkloadId, WorkloadMemory] = field(default_factory=dict)
    usage: Mapping[LeaseId, UsageMemory] = field(default_factory=dict)
    withdrawn_at: Mapping[LeaseId, int] = field(default_factory=dict)
    retries: Mapping[EffectKey, Retry] = field(default_factory=dict)
    notified: frozenset[EffectKey] = frozenset()
    closings: tuple[int, ...] = ()
    ledger: WalletLedger | None = None
    height: int = 0
    height_time: int = 0
    sequence: int | None = None
    hold_until_height: int = 0
    last_batch: str = ""
    waiting: Mapping[str, Breach] = field(default_factory=dict)
    approvals: Mapping[str, Approval] = field(default_factory=dict)
    prices: Mapping[str, tuple[PriceSpan, ...]] = field(default_factory=dict)
    disrupted: Mapping[WorkloadId, PastDisruption] = field(default_factory=dict)
