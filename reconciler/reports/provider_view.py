"""The provider as shown by `status` and the page. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from reconciler.reports.issues import IssueView, issues_of
from reconciler.values.funding import Funding
from reconciler.values.lifecycle import Phase
from reconciler.values.money import normalized
from reconciler.values.observed import Trouble
from reconciler.values.snapshot import Snapshot
from reconciler.values.times import Timestamp
from reconciler.values.views import (
    CapacityView,
    CommitView,
    CycleView,
    HoldView,
    IntentView,
    LeaseView,
    MoneyPoint,
    MoneyView,
    QueueView,
    ReadingView,
    WorkloadDetailView,
    WorkloadView,
)

HOLDS_MAX = 100
WORKLOADS_MAX = 200
EXAMPLES_MAX = 5
POINTS_MAX = 240

_URGENCY = {
    Phase.FAILED: 0,
    Phase.PENDING: 2,
    Phase.STOPPING: 3,
    Phase.DEPLOYING: 3,
    Phase.PAUSED: 5,
    Phase.RUNNING: 6,
    Phase.STOPPED: 7,
    Phase.TERMINATED: 8,
}
_STATE_URGENCY = {phase.value.lower(): urgency for phase, urgency in _URGENCY.items()}
_FUNDS_URGENCY = {
    Funding.EXHAUSTED: 1,
    Funding.UNFUNDED: 1,
    Funding.CRITICAL: 1,
    Funding.LOW: 4,
    Funding.HEALTHY: 9,
}


@dataclass(frozen=True, slots=True)
class ChainView:
    """The chain as last seen."""

    id: str
    height: int
    time: Timestamp


@dataclass(frozen=True, slots=True)
class RevisionsView:
    """Commits: the newest desired one, the one in force, and the last pushed status commit."""

    desired: str
    applied: str
    published: str


@dataclass(frozen=True, slots=True)
class CountsView:
    """How many of each; workloads by state, holds by reason."""

    orders_open: int
    bids_open: int
    leases: int
    workloads: Mapping[str, int]
    holds: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    """`GET /api/v1/status`: the provider as a whole. While `draining`, no bids are made and leases continue;
    `troubles` are those of the daemon itself, such as an expired certificate; `holds` are those on our
    objects or on the provider as a whole, at most 100; `issues` need the operator, the worst first.
    """

    provider: str
    address: str
    chain: ChainView
    revisions: RevisionsView
    observe_only: bool
    spending_stopped: bool
    draining: bool
    troubles: tuple[Trouble, ...]
    counts: CountsView
    money: MoneyView
    cycle: CycleView | None
    readings: tuple[ReadingView, ...]
    queues: tuple[QueueView, ...]
    intents: tuple[IntentView, ...]
    holds: tuple[HoldView, ...]
    issues: tuple[IssueView, ...]


@dataclass(frozen=True, slots=True)
class HoldGroupView:
    """The holds of one reason: how many, whether any is on our objects or on no order (`ours`), and at most 5
    of them.
    """

    reason: str
    count: int
    ours: bool
    examples: tuple[HoldView, ...]


@dataclass(frozen=True, slots=True)
class FundsView:
    """Active leases by the state of their escrow, and the shortest time that one lasts."""

    states: Mapping[Funding, int]
    min_seconds_left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewView:
    """`GET /api/v1/overview`, and each event of `GET /api/v1/stream`: the page at /. `workloads`
    are the 200 most urgent; `hold_groups` begin with those on our objects; `money_history` (oldest first)
    and the commits (newest first) reach back to the daemon's start.
    """

    at: Timestamp
    status: StatusView
    income_uve_per_block: Decimal
    funds: FundsView
    capacity: CapacityView | None
    workloads: tuple[WorkloadDetailView, ...]
    workloads_total: int
    hold_groups: tuple[HoldGroupView, ...]
    money_history: tuple[MoneyPoint, ...]
    desired_commits: tuple[CommitView, ...]
    published_commits: tuple[CommitView, ...]


@dataclass(frozen=True, slots=True)
class PastCycles:
    """History of past cycles: money oldest first, commits newest first."""

    money: tuple[MoneyPoint, ...] = ()
    desired: tuple[CommitView, ...] = ()
    published: tuple[CommitView, ...] = ()


def status_view(snapshot: Snapshot, troubles: Iterable[Trouble] = ()) -> StatusView:
    """The provider with the troubles of the daemon itself."""
    troubles = tuple(troubles)
    return StatusView(
        provider=snapshot.provider,
        address=snapshot.address,
        chain=ChainView(snapshot.chain_id, snapshot.height, Timestamp(snapshot.chain_time)),
        revisions=RevisionsView(snapshot.desired, snapshot.applied, snapshot.published),
        observe_only=snapshot.observe_only,
        spending_stopped=snapshot.spending_stopped,
        draining=snapshot.draining,
        troubles=troubles,
        counts=_counts(snapshot),
        money=snapshot.money,
        cycle=snapshot.cycle,
        readings=snapshot.readings,
        queues=snapshot.queues,
        intents=snapshot.intents,
        holds=tuple(h for h in snapshot.holds if h.ours or not h.subject)[:HOLDS_MAX],
        issues=issues_of(snapshot, troubles),
    )


def overview(status: StatusView, snapshot: Snapshot, history: PastCycles, now: int) -> OverviewView:
    """The page at `now` (unix seconds)."""
    return OverviewView(
        at=Timestamp(now),
        status=status,
        income_uve_per_block=normalized(sum((x.price_uve for x in snapshot.leases), Decimal(0))),
        funds=_funds(snapshot.leases),
        capacity=snapshot.capacity,
        workloads=_most_urgent(snapshot),
        workloads_total=len(snapshot.workloads),
        hold_groups=_hold_groups(snapshot.holds),
        money_history=_thinned(history.money),
        desired_commits=history.desired,
        published_commits=history.published,
    )


def _counts(snapshot: Snapshot) -> CountsView:
    states = Counter(workload.state for workload in snapshot.workloads)
    return CountsView(
        orders_open=snapshot.orders_open,
        bids_open=len(snapshot.bids),
        leases=len(snapshot.leases),
        workloads={state: states[state] for state in (phase.value.lower() for phase in Phase)},
        holds=dict(sorted(Counter(hold.reason.value for hold in snapshot.holds).items())),
    )


def _most_urgent(snapshot: Snapshot) -> tuple[WorkloadDetailView, ...]:
    leases = {lease.id: lease for lease in snapshot.leases}
    ordered = sorted(snapshot.workloads, key=lambda workload: (_urgency(workload), workload.id))
    return tuple(WorkloadDetailView(each, leases.get(each.lease)) for each in ordered[:WORKLOADS_MAX])


def _urgency(workload: WorkloadView) -> int:
    trouble = 0 if workload.trouble else 9
    return min(_STATE_URGENCY[workload.state], _FUNDS_URGENCY[workload.funding], trouble)


def _hold_groups(holds: Iterable[HoldView]) -> tuple[HoldGroupView, ...]:
    by_reason: dict[str, list[HoldView]] = defaultdict(list)
    for hold in holds:
        by_reason[hold.reason.value].append(hold)
    groups = (
        HoldGroupView(
            reason,
            len(found),
            any(hold.ours or not hold.order for hold in found),
            tuple(found[:EXAMPLES_MAX]),
        )
        for reason, found in by_reason.items()
    )
    return tuple(sorted(groups, key=lambda group: (not group.ours, -group.count, group.reason)))


def _funds(leases: Iterable[LeaseView]) -> FundsView:
    leases = list(leases)
    states = Counter(lease.funding.state for lease in leases)
    left = [x.funding.seconds_left for x in leases if x.funding.seconds_left is not None]
    return FundsView({state: states[state] for state in Funding}, min(left, default=None))


def _thinned(points: tuple[MoneyPoint, ...]) -> tuple[MoneyPoint, ...]:
    """At most POINTS_MAX, evenly, the newest among them."""
    step = max(-(-len(points) // POINTS_MAX), 1)
    return points[::-1][::step][::-1]
