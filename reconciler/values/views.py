"""The read model: one view per object that people see, built once per cycle; ids and prices as the API,
the page, the commands and the status branch show them. JSON has the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import StrEnum

from reconciler.values.addresses import ServiceAddress
from reconciler.values.funding import HEALTHY, Funding, TimeLeft
from reconciler.values.ids import WorkloadId
from reconciler.values.observed import State, Trouble
from reconciler.values.plans import Hold, Reason
from reconciler.values.readings import CHAIN
from reconciler.values.resources import Resources
from reconciler.values.times import Timestamp


@dataclass(frozen=True, slots=True, order=True)
class HoldView:
    """An effect that is withheld: the name of its subject ("": the provider as a whole), a reason such as
    PriceTooLow, and a message with the figures. `ours`: it is published, as its subject is ours; `approval`
    is the digest with which the host's owner approves the effect ("": it cannot be approved); `kind` is the
    subject's in lower case, such as order or file; `order` is that of an order, bid or lease ("": neither).
    """

    subject: str
    reason: Reason
    message: str
    ours: bool = False
    approval: str = ""
    kind: str = "provider"
    order: str = ""

    @classmethod
    def of(cls, hold: Hold) -> HoldView:
        """The view of a planned hold."""
        subject = hold.subject
        kind, order = subject.kind.name.lower(), str(subject.order or "")
        return cls(subject.name, hold.reason, hold.message, hold.ours, hold.approval, kind, order)


@dataclass(frozen=True, slots=True)
class MeasuredUseView:
    """What the replicas of a service used together on average, as measured."""

    service: str
    cpu_milli: int
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestView:
    """The manifest that a tenant sent for a lease: its hash, its commit on the tenants branch ("": not
    known), how the tenant proved to be the owner, and why it cannot be run ("": it can).
    """

    tenant: str
    manifest_hash: str
    accepted_at: Timestamp
    method: str
    commit: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadView:
    """A workload. `state` is its phase in lower case: pending, deploying, running, paused, stopping,
    stopped, terminated or failed; `price_uve` is its lease's, per block; `billing` is lease or usage;
    `withdrawn_uve` and `settled_uve` are what its lease and its usage have paid out, gross, and
    `recorded_uve` the usage recorded on the chain, settled or not; `measured_use` is what its services used
    on average in the last recorded period, if that is billed; `manifest` is the tenant's;
    `addresses` are those last seen; `holds` are those on the workload, its lease and its file. Values of
    `unseen` sources are the last known ones, or none if the source was not seen since the daemon's start.
    """

    id: WorkloadId
    lease: str
    adapter: str
    state: str
    lease_state: State
    price_uve: Decimal
    billing: str = "lease"
    withdrawn_uve: int = 0
    settled_uve: int = 0
    recorded_uve: int = 0
    measured_use: tuple[MeasuredUseView, ...] = ()
    funding: Funding = Funding.HEALTHY
    file: str = ""
    ready: bool = False
    replicas_ready: int = 0
    replicas: int = 0
    trouble: Trouble | None = None
    manifest: ManifestView | None = None
    addresses: tuple[ServiceAddress, ...] = ()
    holds: tuple[HoldView, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def is_price_known(self) -> bool:
        """Whether the chain has shown its lease since the daemon's start."""
        return CHAIN not in self.unseen or self.lease_state is not State.INVALID


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service of a workload: its replicas as specified, and how many of them are ready."""

    name: str
    replicas: int
    replicas_ready: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseView:
    """An active lease: its price per block, what was withdrawn (gross), and how long its funds last; with
    usage, what was metered and is not recorded yet (exact uve), and the blocks in which it ran.
    """

    id: str
    order: str
    workload: WorkloadId
    state: State
    price_uve: Decimal
    withdrawn_uve: int = 0
    withdrawn_at: Timestamp = field(default_factory=Timestamp)
    funding: TimeLeft = HEALTHY
    metered_uve: Decimal = Decimal(0)
    metered_blocks: int = 0


@dataclass(frozen=True, slots=True)
class WorkloadDetailView:
    """`GET /api/v1/workloads/{id}`: a workload and its lease, if that is active."""

    workload: WorkloadView
    lease: LeaseView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BidView:
    """One of our open bids: price per block, locked deposit, and the height at which it was made."""

    id: str
    order: str
    state: State
    price_uve: Decimal
    deposit_uve: int
    created_at_height: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentView:
    """A transaction that is not confirmed yet."""

    hash: str
    messages: tuple[str, ...]
    fee_uve: int
    timeout_height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletView:
    """Money in whole uve: spendable, locked in our bids, earned (net of what was put in), paid in fees, and
    received from payments and settlements since the journal began, net of the chain's take; `unexplained_uve`
    changed the wallet in blocks whose transfers are not known, `day_fees_uve` are the fees of the last day.
    At its rate, the balance falls to the reserve in `balance_seconds_left`, if `is_balance_falling` (null:
    not known yet). `paid_out_uve` went to payout addresses; with a `payout_address`, the next payout is made
    from `next_payout_at` on (null: now).
    """

    balance_uve: int = 0
    deposits_uve: int = 0
    earned_uve: int = 0
    fees_uve: int = 0
    received_uve: int = 0
    unexplained_uve: int = 0
    foreign_transactions: int = 0
    day_fees_uve: int = 0
    is_balance_falling: bool | None = None
    balance_seconds_left: int | None = None
    paid_out_uve: int = 0
    payout_address: str = ""
    next_payout_at: Timestamp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyView(WalletView):
    """The wallet, and what is accrued on leases and not withdrawn."""

    accrued_uve: int = 0

    @classmethod
    def of(cls, wallet: WalletView, accrued_uve: int) -> MoneyView:
        """The wallet with what is accrued."""
        known = {each.name: getattr(wallet, each.name) for each in fields(WalletView)}
        return cls(**known, accrued_uve=accrued_uve)


class CycleOutcome(StrEnum):
    """How a cycle ended: nothing to do, effects attempted, the chain or the repository was
    unavailable, or failed.
    """

    QUIET = "quiet"
    ACTED = "acted"
    BLIND = "blind"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleView:
    """The last finished cycle (host's clock): why it failed ("": it did not), how many in a row have failed,
    and how many actions its plan had.
    """

    started_at: Timestamp
    finished_at: Timestamp
    duration_seconds: float
    outcome: CycleOutcome
    why: str = ""
    failures: int = 0
    actions: int = 0
    plan_digest: str = ""


@dataclass(frozen=True, slots=True)
class ReadingView:
    """A source of the cycle: when it was last seen, and why it is unseen now ("": it is seen)."""

    source: str
    seen_at: Timestamp
    why: str = ""


@dataclass(frozen=True, slots=True)
class QueueView:
    """The effects in flight on a target: queued and running, since when the oldest is (0: none), and how many
    were tried again since the daemon started.
    """

    target: str
    queued: int
    running: int
    oldest_since: Timestamp
    retries: int


@dataclass(frozen=True, slots=True)
class CommitView:
    """A commit: when it was made (desired branch) or first seen (status branch), its subject and author."""

    id: str
    at: Timestamp
    subject: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class CapacityView:
    """The machines' capacity, the part of it available for leases (ceiling and reserve deducted), and the
    claims of leases and open bids.
    """

    offered: Resources
    sellable: Resources
    promised: Resources


@dataclass(frozen=True, slots=True)
class MoneyPoint:
    """The money at one time (host's clock), in uve."""

    at: Timestamp
    balance_uve: int
    earned_uve: int
    accrued_uve: int


@dataclass(frozen=True, slots=True)
class PublishedStatus:
    """The content of the status branch: semantic state without heights, heartbeats or counters. `revision` is
    the applied commit, `faults` its parse errors, `holds` those that are not on a workload, `prices` those in
    force in uve and their rate, if they are written in another currency, `reports` the texts of the monthly
    reports by path.
    """

    provider: str
    address: str
    chain_id: str
    revision: str
    workloads: tuple[WorkloadView, ...] = ()
    bids: tuple[BidView, ...] = ()
    holds: tuple[HoldView, ...] = ()
    faults: tuple[str, ...] = ()
    prices: Mapping[str, str] = field(default_factory=dict)
    reports: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ErrorView:
    """Why a request failed, and what to do instead."""

    error: str
    advice: str


@dataclass(frozen=True, slots=True)
class HealthView:
    """`GET /healthz` and `/readyz`: ok or not ready, and why not."""

    status: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class ReconcileView:
    """`POST /api/v1/reconcile` and `/hooks/git`: the loop runs a cycle now. `cycle_finished_at` is when the
    last one ended; a later time in the status means that the requested one has run.
    """

    cycle_finished_at: Timestamp
