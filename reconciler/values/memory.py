"""The planner's memory: facts that a plan passes to the next cycle, kept by the journal. A fact is
confirmed by an observation or by a recorded result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from reconciler.values.addresses import ServiceAddress
from reconciler.values.approvals import Approval, Breach
from reconciler.values.desired import Pricing
from reconciler.values.ids import LeaseId, OrderId, WorkloadId
from reconciler.values.lifecycle import Phase
from reconciler.values.machines import Promise
from reconciler.values.measured_use import MeasuredUse
from reconciler.values.rates import ExchangeRate
from reconciler.values.resources import Resources
from reconciler.values.subjects import EffectKey, Subject


@dataclass(frozen=True, slots=True)
class Retry:
    """How often an effect failed in a row, when it may be retried (unix seconds; None: never), and its last
    error.
    """

    failures: int
    retry_at: int | None
    reason: str
    why: str
    advice: str = ""

    @property
    def times(self) -> str:
        """`once` or `n times`."""
        return "once" if self.failures == 1 else f"{self.failures} times"


@dataclass(frozen=True, slots=True)
class WorkloadMemory:
    """The workload of a lease: its phase, and the two rising heights at which the lease was seen closed (0:
    not).

    `pods` are those last seen of the specification `digest`; one that is missing was removed by someone else.
    `addresses` are those last seen.
    `manifest_hash` is that of the tenant's manifest which last equalled the chain's ("": none did).
    """

    lease: LeaseId
    adapter: str
    phase: Phase
    closed_first: int = 0
    closed_again: int = 0
    usage_billed: bool = False
    digest: str = ""
    pods: tuple[str, ...] = ()
    addresses: tuple[ServiceAddress, ...] = ()
    manifest_hash: str = ""


@dataclass(frozen=True, slots=True)
class MeteredService:
    """A service of a usage-billed workload: the size of one replica, and how many were ready. If it is
    `measured`, `used` are the cpu and memory of all of them together (None: not known).
    """

    name: str
    size: Resources
    ready: int
    measured: bool = False
    used: Resources | None = None

    @property
    def billed(self) -> Resources:
        """What is billed now: the ready replicas at their size, cpu and memory at most as measured."""
        requested = self.size.times(self.ready)
        if not self.measured:
            return requested
        if self.used is None:
            return Resources()
        cpu = min(self.used.cpu_milli, requested.cpu_milli)
        return replace(
            requested, cpu_milli=cpu, memory_bytes=min(self.used.memory_bytes, requested.memory_bytes)
        )


@dataclass(frozen=True, slots=True)
class UsageMemory:
    """The usage of a usage-billed lease that is not recorded on the chain yet.

    `billed_until` is the end of the last recorded period, or the start of metering (chain time in unix
    seconds; 0: no escrow has paid for usage yet). `metered` is the exact price in uve of what ran since, less
    what the lease itself paid for the same blocks, each block at the price in force then; `blocks` is the
    number of blocks in which something ran. `seen_height` and `seen_at` (chain time in unix seconds; 0: none)
    are those of the last observation, and `services` its ready replicas. `unfunded_since` is the chain time
    at which the lease was first seen without an escrow that pays (unix seconds; 0: it has one). `measured` is
    what its services used since `billed_until`, `recorded` what they used in the last recorded period.
    """

    billed_until: int = 0
    metered: Decimal = Decimal(0)
    blocks: int = 0
    seen_height: int = 0
    seen_at: int = 0
    services: tuple[MeteredService, ...] = ()
    unfunded_since: int = 0
    measured: tuple[MeasuredUse, ...] = ()
    recorded: tuple[MeasuredUse, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerGap:
    """Blocks `first` to `last`, whose transfers are not known: how much the wallet's balance changed over
    them (uve), and how much of that is not explained.
    """

    first: int
    last: int
    change: int
    unexplained: int


@dataclass(frozen=True, slots=True)
class LedgerChange:
    """What a block added to the external transfers, and to what is unexplained; in uve."""

    height: int
    outside: int = 0
    unexplained: int = 0


@dataclass(frozen=True, slots=True)
class HourTotals:
    """Fees paid, and what was earned after them (negative: lost), in the blocks of an hour that began at a
    chain time (unix seconds); in uve.
    """

    began_at: int
    fees: int = 0
    earned: int = 0


@dataclass(frozen=True, slots=True)
class WalletLedger:
    """The wallet's history in uve: its balance with deposits when the journal began, external transfers since
    then, fees paid, spending of the last hour.

    `balance` and `deposits` are those of the last booked height (None: not known). `unexplained` changed the
    wallet in blocks whose transfers are not known, `gaps` are those that may still be read. `hours` are those
    of the last day in which anything was paid or earned, `changes` the last ones of `outside` and
    `unexplained`, which a lower height may disprove; the oldest first. `paid_out` is the part of the
    external transfers that went to the payout address. `began_at` is the chain time of the first booked
    block (unix seconds; 0: not known, long ago).
    """

    started_with: int = 0
    outside: int = 0
    fees: int = 0
    spent: tuple[tuple[int, int], ...] = ()
    balance: int | None = None
    deposits: int = 0
    unexplained: int = 0
    gaps: tuple[LedgerGap, ...] = ()
    hours: tuple[HourTotals, ...] = ()
    paid_out: int = 0
    began_at: int = 0
    changes: tuple[LedgerChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Payout:
    """A transaction that sent `amount` uve to the payout address, and when it was first known to be in a
    block, or could have been (chain, unix seconds).
    """

    tx: str
    at: int
    amount: int


@dataclass(frozen=True, slots=True)
class ForeignTransaction:
    """A transaction with our account's key that this daemon did not send; `at` is its time (chain, unix
    seconds).
    """

    hash: str
    height: int
    sequence: int
    at: int


@dataclass(frozen=True, slots=True)
class PriceSpan:
    """The range of a price, margin included, until `until` (unix seconds of the host; 0: it is in force)."""

    until: int
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class PastDisruption:
    """A workload was stopped, moved or replaced by a revision that came into force at this time (unix seconds
    of the host).

    `approved`: with the owner's approval; `before` identifies the specification until then.
    """

    at: int
    approved: bool = False
    before: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """The facts that one cycle passes to the next.

    `applied` is the commit in force, `valid_blobs` the blob in use per path; `closings` are the times of
    recent closings of leases (chain, unix seconds); `sequence` is the account's next one, `hold_until_height`
    the height before which nothing is spent, `last_batch` the kind of the last transaction.

    `gas` is the gas used of recent transactions, in thousandths of the simulated gas, by kind of message (the
    newest last), `gas_short` what is bought after a shortage until it was measured, the last of them at
    `gas_short_at` (host, unix seconds); `shared_max` the number of messages that share a transaction (0: the
    most), and `invalidators` the tenants whose messages made one of our transactions fail in a block, with
    its time (chain, unix seconds).

    `foreign` are the last transactions of a day that another program signed with the provider's key,
    `foreign_total` is the number of all.

    `payouts` are the last one and those of a day, the oldest first; those before `history_began_at` (chain,
    unix seconds; 0: all are known) may be missing, as the journal began then or did not match the account.

    `notified` are the notices delivered to tenants; `approvable` are the breaches that the owner may approve
    now and `approvals` the approved ones, by digest; `height_time` is the time of the block `height` (unix
    seconds; 0: not known); `prices` are those in force within the window of the bounds, by key, and
    `disrupted` the workloads that revisions disrupted within it; `promises` are the machines of open bids and
    active leases; `pricing` is in force at `height`, and prices what runs until the next one; `rates`
    are the exchange rates last in force, by currency; `to_confirm` are the objects that the witness is asked
    about in the next cycle, as something is to be ended on the word of one node.
    """

    applied: str = ""
    valid_blobs: Mapping[str, str] = field(default_factory=dict)
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
    gas: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    gas_short: Mapping[str, int] = field(default_factory=dict)
    gas_short_at: int = 0
    shared_max: int = 0
    invalidators: Mapping[str, int] = field(default_factory=dict)
    foreign: tuple[ForeignTransaction, ...] = ()
    foreign_total: int = 0
    approvable: Mapping[str, Breach] = field(default_factory=dict)
    approvals: Mapping[str, Approval] = field(default_factory=dict)
    prices: Mapping[str, tuple[PriceSpan, ...]] = field(default_factory=dict)
    disrupted: Mapping[WorkloadId, PastDisruption] = field(default_factory=dict)
    promises: Mapping[OrderId, Promise] = field(default_factory=dict)
    pricing: Pricing | None = None
    payouts: tuple[Payout, ...] = ()
    history_began_at: int = 0
    rates: Mapping[str, ExchangeRate] = field(default_factory=dict)
    to_confirm: frozenset[Subject] = frozenset()
