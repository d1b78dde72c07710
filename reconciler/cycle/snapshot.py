"""One finished cycle as the HTTP API and the metrics show it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.cycle.status import PlannedCycle
from reconciler.planning.ledger import earnings
from reconciler.planning.phases import trouble_of
from reconciler.planning.planning_input import PlanningInput, market_of
from reconciler.values.funding import HEALTHY
from reconciler.values.ids import LeaseId, workload_id
from reconciler.values.memory import WalletLedger, WorkloadMemory
from reconciler.values.messages import describe
from reconciler.values.observed import Market, Running, State
from reconciler.values.plans import Plan
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.snapshot import (
    BidSnapshot,
    BookTotals,
    CommitSnapshot,
    IntentSnapshot,
    LeaseSnapshot,
    ReadingAge,
    Snapshot,
    WorkloadSnapshot,
)


def snapshot_of(
    finding: PlannedCycle, before: Snapshot, *, cycle_began_at: int, unchanged: bool = False
) -> Snapshot:
    """The cycle's facts over those of the one before: what is unseen now stays as it was last seen.

    `unchanged` says that no workload can look different from `before`.
    """
    situation, plan = finding.situation, finding.plan
    market = market_of(situation)
    shown = before
    if market is not None:
        shown = _with_market(before, market, plan)
    workloads = before.workloads
    if not unchanged:
        workloads = tuple(
            _workload(situation, memory, market) for _, memory in sorted(plan.memory.workloads.items())
        )
    return replace(
        shown,
        applied=plan.revision or shown.applied,
        desired=_newest(situation) or shown.desired,
        observe_only=situation.limits.observe_only,
        spending_stopped=situation.limits.stop_spending,
        draining=situation.limits.draining,
        workloads=workloads,
        intents=tuple(
            IntentSnapshot(i.hash, tuple(describe(m) for m in i.messages), i.fee, i.timeout_height)
            for i in situation.intents
        ),
        holds=plan.holds,
        plan=plan,
        desired_commit=_newest_commit(situation) or shown.desired_commit,
        readings=tuple(_ages(situation, before, cycle_began_at)),
    )


def _with_market(before: Snapshot, market: Market, plan: Plan) -> Snapshot:
    return replace(
        before,
        address=market.wallet.address,
        chain_id=market.chain_id,
        height=market.height,
        chain_time=market.time,
        orders_open=len(market.orders),
        books=_books(before.books, market, plan),
        leases=tuple(
            _lease(market, plan, lease_id)
            for lease_id, lease in market.leases.items()
            if lease.state is State.ACTIVE
        ),
        bids=tuple(
            BidSnapshot(b.id, b.state, b.price, b.deposit, b.created_at)
            for b in sorted(market.bids.values(), key=lambda b: b.id)
            if b.state is State.OPEN
        ),
    )


def _books(before: BookTotals, market: Market, plan: Plan) -> BookTotals:
    """Received is what was earned before fees; it only rises, as a counter must."""
    ledger = plan.memory.ledger or WalletLedger()
    found = earnings(market, ledger, plan.funding.values())
    received = max(before.received, found.earned + ledger.fees)
    return BookTotals(
        market.wallet.balance, found.deposits, found.earned, found.accrued, ledger.fees, received
    )


def _lease(market: Market, plan: Plan, lease_id: LeaseId) -> LeaseSnapshot:
    lease = market.leases[lease_id]
    left = plan.funding.get(lease_id, HEALTHY)
    return LeaseSnapshot(
        lease_id,
        lease.state,
        lease.price,
        left.due,
        lease.payment.withdrawn,
        plan.memory.withdrawn_at.get(lease_id, 0),
        left,
    )


def _workload(situation: PlanningInput, memory: WorkloadMemory, market: Market | None) -> WorkloadSnapshot:
    subject = workload_id(memory.lease)
    lease = market.leases.get(memory.lease) if market else None
    running = _running(situation, memory)
    return WorkloadSnapshot(
        id=subject,
        lease=memory.lease,
        adapter=memory.adapter,
        phase=memory.phase,
        lease_state=lease.state if lease else State.INVALID,
        price=lease.price if lease else 0 * situation.limits.gas_price_max,
        billing="usage" if memory.usage_billed else "lease",
        path=f"workloads/{subject}.yaml",
        ready=running.ready if running else False,
        replicas_ready=running.replicas_ready if running else 0,
        replicas=running.replicas if running else 0,
        trouble=trouble_of(situation, memory),
    )


def _running(situation: PlanningInput, memory: WorkloadMemory) -> Running | None:
    view = situation.adapters.get(memory.adapter)
    if view is None or isinstance(view.workloads, Unseen):
        return None
    return view.workloads.view.get(workload_id(memory.lease))


def _newest(situation: PlanningInput) -> str:
    return situation.desired.view.newest.desired.commit if isinstance(situation.desired, Seen) else ""


def _newest_commit(situation: PlanningInput) -> CommitSnapshot | None:
    if not isinstance(situation.desired, Seen):
        return None
    newest = situation.desired.view.newest
    return CommitSnapshot(newest.desired.commit, newest.committed_at, newest.subject, newest.author)


def _ages(situation: PlanningInput, before: Snapshot, at: int) -> Iterator[ReadingAge]:
    """The chain's first, as its age decides whether we are ready."""
    last = {age.source: age.seen_at for age in before.readings}
    sources: list[tuple[str, Reading[object]]] = [
        ("chain", situation.market),
        ("repository", situation.desired),
    ]
    for name, view in sorted(situation.adapters.items()):
        sources += [(f"{name} workloads", view.workloads), (f"{name} capacity", view.capacity)]
    for source, reading in sources:
        if isinstance(reading, Seen):
            yield ReadingAge(source, at)
        else:
            yield ReadingAge(source, last.get(source, 0), reading.why)
