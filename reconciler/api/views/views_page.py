"""The snapshot and what is remembered of those before it, as the page at `/` shows them. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from reconciler.api.views.schemas_page import (
    CapacityShape,
    CommitShape,
    FundsShape,
    HeldShape,
    HoldGroupShape,
    OverviewAnswer,
    PointShape,
    ResourcesShape,
    TileShape,
)
from reconciler.api.views.views import (
    chain,
    counts,
    cycle,
    intents,
    moment,
    money,
    reading,
    revisions,
    trouble,
)
from reconciler.api.views.views_market import funding, is_about_order
from reconciler.api.views.views_work import subjects_of
from reconciler.runtime.metrics_history import MoneyPoint
from reconciler.values.funding import Funding
from reconciler.values.ids import LeaseId
from reconciler.values.lifecycle import Phase
from reconciler.values.money import plain
from reconciler.values.observed import Trouble
from reconciler.values.plans import Hold
from reconciler.values.resources import Resources
from reconciler.values.snapshot import (
    CapacitySnapshot,
    CommitSnapshot,
    LeaseSnapshot,
    Snapshot,
    WorkloadSnapshot,
)

TILES_MAX = 200
EXAMPLES_MAX = 5
COURSE_MAX = 240

_URGENCY = {
    Phase.FAILED: 0,
    Phase.STOPPING: 3,
    Phase.DEPLOYING: 3,
    Phase.PENDING: 2,
    Phase.PAUSED: 5,
    Phase.RUNNING: 6,
    Phase.STOPPED: 7,
    Phase.TERMINATED: 8,
}
_FUNDS_URGENCY = {Funding.EXHAUSTED: 1, Funding.CRITICAL: 1, Funding.LOW: 4, Funding.HEALTHY: 9}


@dataclass(frozen=True, slots=True)
class Past:
    """What is remembered, money oldest first, commits newest first; and what is not well with the daemon."""

    money: tuple[MoneyPoint, ...] = ()
    desired: tuple[CommitSnapshot, ...] = ()
    published: tuple[CommitSnapshot, ...] = ()
    troubles: tuple[Trouble, ...] = ()


def overview(snapshot: Snapshot, past: Past, now: int) -> OverviewAnswer:
    """The whole page."""
    return OverviewAnswer(
        at=now,
        provider=snapshot.provider,
        address=snapshot.address,
        chain=chain(snapshot),
        revisions=revisions(snapshot),
        observe_only=snapshot.observe_only,
        spending_stopped=snapshot.spending_stopped,
        draining=snapshot.draining,
        troubles=[trouble(each) for each in past.troubles],
        counts=counts(snapshot),
        money=money(snapshot),
        income_uve_a_block=plain(sum((x.price for x in snapshot.leases), Decimal(0))),
        funds=_funds(snapshot.leases),
        capacity=_capacity(snapshot.capacity) if snapshot.capacity else None,
        cycle=cycle(snapshot.cycle) if snapshot.cycle else None,
        readings=[reading(r) for r in snapshot.readings],
        intents=intents(snapshot),
        workloads=_tiles(snapshot),
        workloads_total=len(snapshot.workloads),
        holds=_groups(snapshot.holds),
        course=[
            PointShape(at=p.at, balance=p.balance, earned=p.earned, accrued=p.accrued)
            for p in _thinned(past.money)
        ],
        desired_commits=[_commit(c) for c in past.desired],
        published_commits=[_commit(c) for c in past.published],
    )


def _tiles(snapshot: Snapshot) -> list[TileShape]:
    leases = {x.id: x for x in snapshot.leases}
    held: dict[str, list[str]] = defaultdict(list)
    for hold in snapshot.holds:
        held[hold.subject].append(hold.reason.value)
    urgent = sorted(snapshot.workloads, key=lambda w: (_urgency(w, leases), w.id))[:TILES_MAX]
    return [_tile(w, leases.get(w.lease), held) for w in urgent]


def _urgency(found: WorkloadSnapshot, leases: Mapping[LeaseId, LeaseSnapshot]) -> int:
    lease = leases.get(found.lease)
    funds = _FUNDS_URGENCY[lease.funding.state] if lease else 9
    return min(_URGENCY[found.phase], funds, 0 if found.trouble else 9)


def _tile(found: WorkloadSnapshot, lease: LeaseSnapshot | None, held: Mapping[str, list[str]]) -> TileShape:
    reasons = [reason for s in subjects_of(found) for reason in held.get(s, ())]
    return TileShape(
        id=found.id,
        tenant=found.lease.order.owner,
        state=found.phase.value.lower(),
        price_uve=plain(found.price),
        ready=found.ready,
        replicas_ready=found.replicas_ready,
        replicas=found.replicas,
        trouble=trouble(found.trouble) if found.trouble else None,
        funding=funding(lease.funding) if lease else None,
        held=sorted(set(reasons)),
    )


def _groups(held: Iterable[Hold]) -> list[HoldGroupShape]:
    groups: dict[str, list[Hold]] = defaultdict(list)
    for hold in held:
        groups[hold.reason.value].append(hold)
    shapes = [
        HoldGroupShape(
            reason=reason,
            count=len(holds),
            ours=any(h.ours or not is_about_order(h) for h in holds),
            examples=[HeldShape(subject=h.subject, message=h.message) for h in holds[:EXAMPLES_MAX]],
        )
        for reason, holds in groups.items()
    ]
    return sorted(shapes, key=lambda group: (not group.ours, -group.count, group.reason))


def _funds(leases: Iterable[LeaseSnapshot]) -> FundsShape:
    leases = list(leases)
    states = Counter(x.funding.state for x in leases)
    left = [x.funding.seconds for x in leases if x.funding.seconds is not None]
    return FundsShape(
        states={state.value: states[state] for state in Funding},
        least_seconds_left=min(left, default=None),
    )


def _capacity(found: CapacitySnapshot) -> CapacityShape:
    return CapacityShape(
        offered=_resources(found.offered),
        sellable=_resources(found.sellable),
        promised=_resources(found.promised),
    )


def _resources(found: Resources) -> ResourcesShape:
    return ResourcesShape(
        cpu_milli=found.cpu_milli,
        memory_bytes=found.memory_bytes,
        storage_bytes=found.storage_bytes,
        gpu=found.gpu,
    )


def _commit(found: CommitSnapshot) -> CommitShape:
    return CommitShape(id=found.id, at=moment(found.at), subject=found.subject, author=found.author)


def _thinned(points: tuple[MoneyPoint, ...]) -> tuple[MoneyPoint, ...]:
    """At most so many, the newest among them."""
    step = -(-len(points) // COURSE_MAX)
    return points[::-1][:: max(step, 1)][::-1]
