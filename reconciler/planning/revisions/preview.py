"""Previews a change: the plan before and after it, on one planning snapshot. Pure.

Both plans come from the loop's own `plan` with the loop's own input, so the preview equals what happens after
the merge, as long as nothing else changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.planning.capacity.headroom import offered, usable
from reconciler.planning.capacity.promises import promised_resources
from reconciler.planning.memory_update import recall
from reconciler.planning.money.quotes import REFERENCES, QuoteTerms, quote
from reconciler.planning.planner import decide, derive
from reconciler.planning.planning_input import MarketBasis, PlanningInput
from reconciler.planning.revisions.admission import admit
from reconciler.planning.revisions.change_warnings import change_warnings
from reconciler.planning.revisions.disruptions import disruptions, is_served
from reconciler.values.approvals import list_names
from reconciler.values.bounds import prices_in_uve
from reconciler.values.desired import Config, Desired, Pricing, Revision, Revisions, Workload
from reconciler.values.ids import OrderId
from reconciler.values.messages import CreateBid
from reconciler.values.money import DENOM, show_rate
from reconciler.values.observed import State
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.plans import Hold, Plan, Reason, SendTransaction
from reconciler.values.preview import (
    BidDecision,
    Costs,
    FreeCapacity,
    OrderChange,
    Preview,
    PreviewBasis,
    Price,
    PriceMove,
    Quote,
    WorkloadChange,
)
from reconciler.values.pricing import price
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import Demand, total
from reconciler.values.times import utc_text

LIMITS = frozenset(
    {
        Reason.CEILING,
        Reason.PRICE_JUMP,
        Reason.PRICE_OUT_OF_BOUNDS,
        Reason.MASS_REMOVAL,
        Reason.REWRITTEN_HISTORY,
        Reason.UNSIGNED,
        Reason.ADAPTER_DENIED,
        Reason.SECRET_DENIED,
    }
)
"""Reasons that refer to a limit of the host file."""


@dataclass(frozen=True, slots=True)
class RevisionChange:
    """Two revisions to compare, and the one last applied, if known and not `base`."""

    base: Revision
    head: Revision
    applied: Revision | None = None


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a change, planned; `wanted` is its revision with prices as they would be in force."""

    basis: MarketBasis
    plan: Plan
    wanted: Desired


def planning_input_of(outlook: PlanningSnapshot, newest: Revision, applied: Revision | None) -> PlanningInput:
    """The loop's input if this revision were the newest and no transaction were open."""
    older = applied if applied and applied.desired.commit != newest.desired.commit else None
    return PlanningInput(
        now=outlook.taken_at,
        desired=Seen(Revisions(newest, older)),
        market=Seen(outlook.market),
        adapters=outlook.adapters,
        memory=outlook.memory,
        limits=outlook.limits,
        sends_notices=outlook.sends_notices,
        manifests=Seen(outlook.manifests),
    )


def preview(outlook: PlanningSnapshot, change: RevisionChange) -> Preview:
    """Plan both sides and compare them; the caller adds files and notes."""
    applied = change.applied or change.base
    before, after = _side(outlook, change.base, applied), _side(outlook, change.head, applied)
    terms = _terms(outlook, after.basis.desired)
    market = outlook.market
    made = Preview(
        basis=PreviewBasis(
            outlook.provider, market.chain_id, market.height, outlook.taken_at, outlook.memory.applied
        ),
        base=change.base.desired.commit,
        head=change.head.desired.commit,
        before=before.plan,
        after=after.plan,
        costs=Costs(terms.rules.take_percent, terms.month_fees, terms.block_seconds),
        prices=tuple(_prices(outlook, before.wanted, after.wanted)),
        moves=tuple(_price_moves(outlook, before.wanted, after.wanted)),
        orders=tuple(_orders(outlook, before.plan, after.plan)),
        workloads=tuple(_workloads(change.base.desired, change.head.desired)),
        orders_open=len(outlook.market.orders),
        bids_open=sum(1 for bid in market.bids.values() if bid.state is State.OPEN),
        rooms=(_room(before), _room(after)),
        ceilings=tuple(_ceilings(before.plan, after.plan)),
        faults=change.head.desired.faults,
        notes=tuple(_rate_notes(change.head.desired.pricing, after)),
    )
    stops = _stops(outlook, change)
    warnings = change_warnings(outlook, change.base.desired, change.head.desired, made)
    return replace(made, warnings=(*stops, *warnings))


def _stops(outlook: PlanningSnapshot, change: RevisionChange) -> Iterator[str]:
    """The removals that `removals_per_revision` counts, exceeded or not."""
    found = disruptions(change.base.desired, change.head.desired, outlook.memory, outlook.limits.grants)
    served = [each.what for subject, each in sorted(found.items()) if is_served(outlook.memory, subject)]
    if served:
        them = "1 workload of an active lease is" if len(served) == 1 else f"{len(served)} workloads are"
        yield f"{them} stopped, moved or replaced: {list_names(served)}"


def _side(outlook: PlanningSnapshot, newest: Revision, applied: Revision) -> _Side:
    inputs = planning_input_of(outlook, newest, applied)
    memory = recall(inputs)
    admission = admit(inputs, memory)
    basis = derive(inputs, memory, admission)
    assert isinstance(basis, MarketBasis), "a planning snapshot has a market"
    assert admission.revisions is not None, "a side has a revision"
    return _Side(basis, decide(inputs, admission, basis), admission.revisions.newest.desired)


def _terms(outlook: PlanningSnapshot, desired: Desired) -> QuoteTerms:
    config = desired.config or Config()
    return QuoteTerms.of(outlook.market, outlook.limits, config.withdrawals)


def _prices(outlook: PlanningSnapshot, old: Desired, new: Desired) -> Iterator[Price]:
    """Reference orders whose quote changes, through the prices or the withdrawal interval."""
    for name, resources in REFERENCES:
        quotes: list[Quote | None] = []
        for desired in (old, new):
            pricing: Pricing | None = desired.pricing
            quotes.append(quote(Demand(resources), pricing, _terms(outlook, desired)) if pricing else None)
        if quotes[0] != quotes[1]:
            yield Price(name, resources, quotes[0], quotes[1])


def _price_moves(outlook: PlanningSnapshot, old: Desired, new: Desired) -> Iterator[PriceMove]:
    """Open orders without our bid, and leases billed by usage, whose price changes; a bid keeps its price."""
    if old.pricing == new.pricing:
        return
    market = outlook.market
    taken = {bid.order for bid in market.bids}
    orders = [
        ("order", str(key), each.demand) for key, each in sorted(market.orders.items()) if key not in taken
    ]
    billed = [each for each in market.leases.values() if each.usage_billed and each.state is State.ACTIVE]
    leases = [("lease", str(each.id), each.demand) for each in sorted(billed, key=lambda each: each.id)]
    for subject, name, demand in (*orders, *leases):
        was, now = (price(demand, each.pricing) if each.pricing else None for each in (old, new))
        if was != now:
            yield PriceMove(subject, name, was, now)


def _rate_notes(written: Pricing | None, after: _Side) -> Iterator[str]:
    """The rate that converts the prices, and the prices in uve."""
    if written is None or written.currency == DENOM or after.wanted.pricing is None:
        return
    rate = after.basis.memory.rates.get(written.currency)
    if rate is not None:
        shown = ", ".join(f"{k} {v}" for k, v in prices_in_uve(after.wanted.pricing).items())
        when = f"the rate of {utc_text(rate.at)}"
        yield f"Prices are converted at {show_rate(rate.uve)} for 1{written.currency}, {when}: {shown}."


def _orders(outlook: PlanningSnapshot, before: Plan, after: Plan) -> Iterator[OrderChange]:
    old, new = verdicts(before), verdicts(after)
    taken = {bid.order for bid in outlook.market.bids}
    for order in sorted(outlook.market.orders):
        was, now = old.get(order, BidDecision()), new.get(order, BidDecision())
        if was.key != now.key and order not in taken:
            yield OrderChange(order, was, now)


def _workloads(old: Desired, new: Desired) -> Iterator[WorkloadChange]:
    for subject in sorted({*old.workloads, *new.workloads}):
        was, now = old.workloads.get(subject), new.workloads.get(subject)
        if was != now:
            named = now or was
            yield WorkloadChange(subject, named.path if named else "", _verb(was, now))


def _verb(was: Workload | None, now: Workload | None) -> str:
    """The strongest change: closing outranks pausing. Deleting a file ends nothing by itself."""
    if now is None:
        return "left without a file"
    if now.close is not None and (was is None or was.close is None):
        return "closed"
    if was is None:
        return "created, paused" if now.paused else "created"
    if was.paused != now.paused:
        return "paused" if now.paused else "resumed"
    return "changed"


def verdicts(plan: Plan) -> Mapping[OrderId, BidDecision]:
    """A plan's decision on each open order."""
    found = {
        hold.subject.order: BidDecision(None, hold.reason, hold.message)
        for hold in plan.holds
        if hold.subject.order is not None and hold.subject.lease is None
    }
    for action in plan.actions:
        if isinstance(action, SendTransaction):
            for message in action.messages:
                if isinstance(message, CreateBid):
                    found[message.id.order] = BidDecision(message.price)
    return found


def _room(side: _Side) -> FreeCapacity | None:
    capacity = offered(side.basis.adapters)
    if isinstance(capacity, Unseen):
        return None
    bids = [
        unit.all
        for action in side.plan.actions
        if isinstance(action, SendTransaction)
        for message in action.messages
        if isinstance(message, CreateBid)
        for unit in message.units
    ]
    most = usable(capacity.view, side.basis.limits, side.basis.desired)
    return FreeCapacity(most, most - promised_resources(side.basis.market) - total(bids))


def _ceilings(before: Plan, after: Plan) -> Iterator[Hold]:
    """Limit holds of the new side whose subject has none on the old side."""
    known = {(hold.subject, hold.reason) for hold in before.holds}
    for hold in after.holds:
        if (hold.reason in LIMITS or hold.approval) and (hold.subject, hold.reason) not in known:
            yield hold
