"""The last finished cycle as the API, the page and the metrics show it; replaced whole, never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.values.funding import Accruals
from reconciler.values.ids import WorkloadId
from reconciler.values.intents import IntentOutcome
from reconciler.values.plans import Plan
from reconciler.values.views import (
    BidView,
    CapacityView,
    CommitView,
    CycleOutcome,
    CycleView,
    HoldView,
    IntentView,
    LeaseView,
    MoneyView,
    QueueView,
    ReadingView,
    ServiceView,
    WalletView,
    WorkloadView,
)


@dataclass(frozen=True, slots=True)
class Counters:
    """Totals that only rise: bids and ended transactions since the journal began, cycles since the daemon
    started.
    """

    bids_placed: int = 0
    bids_won: int = 0
    cycles: Mapping[CycleOutcome, int] = field(default_factory=dict)
    ended: Mapping[IntentOutcome, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RevisionTimes:
    """Unix seconds (host's clock): when the newest commit, the one in force and the published one last
    changed; since when the newest waits to be in force and events wait to be published (0: nothing waits).
    """

    seen: int = 0
    applied: int = 0
    published: int = 0
    unapplied_since: int = 0
    unpublished_since: int = 0


@dataclass(frozen=True, slots=True)
class ManifestTotals:
    """Accepted manifests, those that no pushed commit holds, and since when the oldest of these waits (unix
    seconds; 0: none waits).
    """

    accepted: int = 0
    unpushed: int = 0
    unpushed_since: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state that the daemon shows; `height` 0 and empty texts are unknown.

    `desired` is the newest commit of the state repository, `applied` the one in force, `published` the last
    pushed status commit; `chain_time` in unix seconds; `unpublished` counts events that no pushed commit
    covers; `failed_threads` are background threads that an exception ended; `queues` are those of targets;
    `manifests` counts those of tenants.
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
    wallet: WalletView = field(default_factory=WalletView)
    accruals: Accruals = field(default_factory=Accruals)
    counters: Counters = Counters()
    cycle: CycleView | None = None
    readings: tuple[ReadingView, ...] = ()
    leases: Sequence[LeaseView] = ()
    bids: tuple[BidView, ...] = ()
    workloads: tuple[WorkloadView, ...] = ()
    services: Mapping[WorkloadId, tuple[ServiceView, ...]] = field(default_factory=dict)
    intents: tuple[IntentView, ...] = ()
    holds: tuple[HoldView, ...] = ()
    plan: Plan | None = None
    capacity: CapacityView | None = None
    desired_commit: CommitView | None = None
    published_commit: CommitView | None = None
    times: RevisionTimes = RevisionTimes()
    unpublished: int = 0
    manifests: ManifestTotals = ManifestTotals()
    failed_threads: tuple[str, ...] = ()
    queues: tuple[QueueView, ...] = ()

    @property
    def money(self) -> MoneyView:
        """The wallet, and what is accrued on all leases, which is summed here."""
        return MoneyView.of(self.wallet, self.accruals.after_take())
