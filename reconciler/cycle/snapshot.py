"""The views of one finished cycle, which the API and the metrics show. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import overload

from reconciler.cycle.last_known import with_last_known
from reconciler.cycle.object_views import ObjectViews
from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.cycle.service_views import ServiceViews
from reconciler.planning.money.day_totals import balance_seconds_left, day_fees, is_balance_falling
from reconciler.planning.money.ledger import earnings
from reconciler.planning.money.payouts import next_payout_at
from reconciler.planning.planning_input import PlanningInput
from reconciler.planning.revisions.admission import desired_at
from reconciler.values.bounds import prices_in_uve
from reconciler.values.desired import Desired
from reconciler.values.funding import HEALTHY, Accruals
from reconciler.values.ids import workload_id
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory, UsageMemory, WalletLedger
from reconciler.values.messages import describe
from reconciler.values.money import normalized, show_rate
from reconciler.values.observed import Lease, Market
from reconciler.values.plans import Plan
from reconciler.values.readings import CHAIN, Reading, Seen, workloads_source
from reconciler.values.result_cache import ResultCache
from reconciler.values.snapshot import Snapshot
from reconciler.values.times import NEVER, Timestamp
from reconciler.values.views import (
    CommitView,
    IntentView,
    LeaseView,
    PublishedStatus,
    QueueView,
    ReadingView,
    WalletView,
)
from reconciler.values.work import QueueStatistics


def status_of(
    provider: str, planned: PlannedCycle, views: ObjectViews, before: PublishedStatus | None
) -> PublishedStatus | None:
    """The status to publish; `before` while the chain is unseen."""
    market = planned.inputs.seen_market
    if market is None:
        return before
    workloads = planned.plan.memory.workloads
    desired = desired_at(planned.inputs.desired, planned.plan.revision)
    return PublishedStatus(
        provider=provider,
        address=market.wallet.address,
        chain_id=market.chain_id,
        revision=planned.plan.revision,
        workloads=tuple(views.published.values()),
        bids=views.bids,
        holds=tuple(h for h in views.holds if h.ours and h.subject not in workloads),
        faults=tuple(f.describe() for f in desired.faults) if desired else (),
        prices=_converted_prices(desired, planned.plan.memory),
    )


def _converted_prices(desired: Desired | None, memory: Memory) -> Mapping[str, str]:
    """The rate and the prices in uve that are in force, or were until the rate could not be used."""
    written = desired.pricing if desired else None
    rate = memory.rates.get(written.currency) if written else None
    if written is None or rate is None or memory.pricing is None:
        return {}
    return {f"1{written.currency}": show_rate(rate.uve), **prices_in_uve(memory.pricing)}


def snapshot_of(
    planned: PlannedCycle,
    views: ObjectViews,
    before: Snapshot,
    *,
    cycle_began_at: int,
    results: ResultCache | None = None,
) -> Snapshot:
    """The cycle's state merged over the previous one: unseen sources keep their last values."""
    inputs, plan = planned.inputs, planned.plan
    market = inputs.seen_market
    shown = before
    if market is not None:
        shown = replace(
            _with_market(before, market, plan),
            bids=views.bids,
            wallet=_wallet(before.wallet, planned, market, results or ResultCache()),
        )
    return replace(
        shown,
        applied=plan.revision or shown.applied,
        desired=_newest(inputs) or shown.desired,
        observe_only=inputs.limits.observe_only,
        spending_stopped=inputs.limits.stop_spending,
        draining=inputs.limits.draining,
        workloads=with_last_known(views.workloads, before.workloads, inputs),
        services=ServiceViews(planned),
        intents=tuple(
            IntentView(
                hash=i.hash,
                messages=tuple(describe(m) for m in i.messages),
                fee_uve=i.fee,
                timeout_height=i.timeout_height,
            )
            for i in inputs.intents
        ),
        holds=views.holds,
        plan=plan,
        desired_commit=_newest_commit(inputs) or shown.desired_commit,
        readings=tuple(_readings(inputs, before, Timestamp(cycle_began_at))),
    )


def _with_market(before: Snapshot, market: Market, plan: Plan) -> Snapshot:
    return replace(
        before,
        address=market.wallet.address,
        chain_id=market.chain_id,
        height=market.height,
        chain_time=market.time,
        orders_open=len(market.orders),
        accruals=Accruals(plan.funding, market.rules.take_percent),
        leases=LeaseViews(market, plan),
    )


def _wallet(before: WalletView, planned: PlannedCycle, market: Market, results: ResultCache) -> WalletView:
    """Received money before fees; monotonic, as it is a counter."""
    plan, limits = planned.plan, planned.inputs.limits
    ledger = plan.memory.ledger or WalletLedger()
    found = earnings(market, ledger, results)
    return WalletView(
        balance_uve=market.wallet.balance,
        deposits_uve=found.deposits,
        earned_uve=found.earned,
        fees_uve=ledger.fees,
        unexplained_uve=ledger.unexplained,
        foreign_transactions=plan.memory.foreign_total,
        day_fees_uve=day_fees(ledger, market.time),
        is_balance_falling=is_balance_falling(ledger, market.time),
        balance_seconds_left=balance_seconds_left(ledger, limits.balance_reserve, market.time),
        paid_out_uve=ledger.paid_out,
        payout_address=limits.payout.address if limits.payout else "",
        next_payout_at=_next_payout(plan, limits),
        received_uve=max(before.received_uve, found.earned + ledger.fees),
    )


def _next_payout(plan: Plan, limits: Limits) -> Timestamp | None:
    at = next_payout_at(plan.memory, limits.payout) if limits.payout else 0
    return Timestamp(at) if at else None


class LeaseViews(Sequence[LeaseView]):
    """The active leases of one cycle, in the order of the market; built when they are first read, as their
    accruals change with every block.
    """

    def __init__(self, market: Market, plan: Plan) -> None:
        self._market, self._plan = market, plan

    def __len__(self) -> int:
        return len(self._plan.funding)

    @overload
    def __getitem__(self, index: int) -> LeaseView: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[LeaseView]: ...
    def __getitem__(self, index: int | slice) -> LeaseView | Sequence[LeaseView]:
        return self._views[index]

    def __iter__(self) -> Iterator[LeaseView]:
        return iter(self._views)

    @cached_property
    def _views(self) -> tuple[LeaseView, ...]:
        return tuple(_lease(self._market.leases[lease], self._plan) for lease in self._plan.funding)


def _lease(lease: Lease, plan: Plan) -> LeaseView:
    usage = plan.memory.usage.get(lease.id, UsageMemory())
    return LeaseView(
        id=str(lease.id),
        order=str(lease.id.order),
        workload=workload_id(lease.id),
        state=lease.state,
        price_uve=normalized(lease.price),
        withdrawn_uve=lease.payment.withdrawn,
        withdrawn_at=Timestamp(plan.memory.withdrawn_at.get(lease.id, 0)),
        funding=plan.funding.get(lease.id, HEALTHY),
        metered_uve=normalized(usage.metered),
        metered_blocks=usage.blocks,
    )


def _newest(inputs: PlanningInput) -> str:
    return inputs.desired.view.newest.desired.commit if isinstance(inputs.desired, Seen) else ""


def _newest_commit(inputs: PlanningInput) -> CommitView | None:
    if not isinstance(inputs.desired, Seen):
        return None
    newest = inputs.desired.view.newest
    return CommitView(newest.desired.commit, Timestamp(newest.committed_at), newest.subject, newest.author)


def queue_view(queue: QueueStatistics) -> QueueView:
    """What people see of a work queue."""
    return QueueView(queue.target, queue.queued, queue.running, Timestamp(queue.oldest_since), queue.retries)


def _readings(inputs: PlanningInput, before: Snapshot, now: Timestamp) -> Iterator[ReadingView]:
    """The chain first, as its age decides readiness; the repository is read beside the loop."""
    fetched_at = inputs.desired.view.fetched_at if isinstance(inputs.desired, Seen) else 0
    last = {reading.source: reading.seen_at for reading in before.readings}
    sources: list[tuple[str, Reading[object]]] = [
        (CHAIN, inputs.market),
        ("repository", inputs.desired),
    ]
    for name, view in sorted(inputs.adapters.items()):
        sources += [(workloads_source(name), view.workloads), (f"{name} capacity", view.capacity)]
    for source, reading in sources:
        if isinstance(reading, Seen):
            seen_at = Timestamp(fetched_at) if source == "repository" and fetched_at else now
            yield ReadingView(source, seen_at)
        else:
            yield ReadingView(source, last.get(source, NEVER), reading.why)
