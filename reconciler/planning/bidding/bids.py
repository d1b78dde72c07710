"""Which open orders to bid on, and at what price; every order that gets no bid gets a reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from reconciler.planning.adapter_features import provided_features
from reconciler.planning.bidding.adapter_needs import (
    able_adapters,
    has_needs,
    placement_attributes,
    unsupported_hold,
)
from reconciler.planning.bidding.bid_budget import BidBudget
from reconciler.planning.bidding.eligibility import eligibility_hold
from reconciler.planning.bidding.strategies import bid_price, lowest_rivals
from reconciler.planning.capacity.headroom import offered, unseen_reason
from reconciler.planning.capacity.promises import pieces_of
from reconciler.planning.capacity.tenant_share import TenantShare
from reconciler.planning.money.fees import Fees
from reconciler.planning.planning_input import MarketBasis, Proposals
from reconciler.planning.retries import retry_hold
from reconciler.values.desired import Bidding, Pricing
from reconciler.values.ids import LeaseId
from reconciler.values.machines import Promise
from reconciler.values.messages import CreateBid
from reconciler.values.money import plain, show_rate
from reconciler.values.observed import Order
from reconciler.values.plans import Hold, Reason
from reconciler.values.pricing import price as price_of
from reconciler.values.readings import Unseen
from reconciler.values.resources import USAGE_BILLED
from reconciler.values.subjects import ORDERS, PROVIDER, EffectKey, Subject

USAGE_BID = Decimal(1)
"""The bid on a usage-billed order, in uve per block: below one whole uve a lease may earn nothing (semantics
4.2).
"""


ORDERS_LEFT_OUT = (
    "the chain lists more open orders, or larger ones, than are read in one view; those left out get no bid"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An eligible order with what it earns and the bid's amount, in uve a block: different if it is billed by
    usage.
    """

    order: Order
    price: Decimal
    offer: Decimal


def plan_bids(basis: MarketBasis) -> Proposals:
    """Bid on eligible orders, highest price first, then oldest, within capacity, balance and ceilings."""
    chosen: list[Candidate] = []
    holds: list[Hold] = []
    for decision in _evaluate_all(basis):
        if isinstance(decision, Hold):
            holds.append(decision)
        else:
            chosen.append(decision)
    if basis.market.orders_cut:
        holds.append(Hold(ORDERS, Reason.CEILING, ORDERS_LEFT_OUT))
    chosen.sort(key=lambda c: (-c.price, c.order.created_at, c.order.id))
    messages, short = _allocate(basis, chosen)
    return Proposals(messages, (*holds, *short))


def _evaluate_all(basis: MarketBasis) -> Iterator[Candidate | Hold]:
    bidding = basis.desired.config.bidding if basis.desired.config else None
    bids = basis.market.bids
    others = basis.market.rival_bids
    rivals = basis.decisions.reuse("rivals", (others,), lambda: lowest_rivals(others))
    taken = basis.decisions.reuse("orders with our bid", (bids,), lambda: {bid.order for bid in bids})
    for order in basis.market.orders.values():
        if order.id in taken:
            continue
        if (stop := _general_hold(basis, bidding)) is not None:
            yield replace(stop, subject=Subject.of_order(order.id))
        else:
            pricing = _require_pricing(basis.desired.pricing)
            yield _evaluate(basis, order, pricing, rivals.get(order.id))


def _require_pricing(pricing: Pricing | None) -> Pricing:
    assert pricing is not None, "a general hold says that there is no price"
    return pricing


def _general_hold(basis: MarketBasis, bidding: Bidding | None) -> Hold | None:
    """Why we bid on no order at all."""
    if basis.market.provider is None:
        why = (
            f"{basis.market.wallet.address} is not registered as a provider on {basis.market.chain_id}; "
            "this chain accepts no registration by transaction; request a genesis record"
        )
        return Hold(PROVIDER, Reason.NOT_REGISTERED, why)
    if bidding is None:
        return Hold(PROVIDER, Reason.BIDDING_OFF, "config.yaml has no readable version; fix it to bid")
    if not bidding.enabled:
        return Hold(PROVIDER, Reason.BIDDING_OFF, "config.yaml says bidding.enabled: false")
    if basis.limits.draining:
        why = "bidding is stopped on this host; `provider-daemon drain --off` resumes it"
        return Hold(PROVIDER, Reason.DRAINING, why)
    deposit, most = basis.market.rules.bid_deposit, basis.limits.bid_deposit_max
    if deposit > most:
        why = f"the chain requires a deposit of {deposit}uve a bid; the host file allows {most}uve"
        return Hold(PROVIDER, Reason.CEILING, f"{why} (bid_deposit_max)")
    if basis.desired.pricing is None:
        if "pricing.yaml" in basis.desired.valid_blobs:
            return Hold(PROVIDER, Reason.NO_PRICE, "no rate converts the prices of pricing.yaml to uve now")
        return Hold(PROVIDER, Reason.NO_PRICE, "pricing.yaml has no readable version; fix it to bid")
    return None


def _evaluate(basis: MarketBasis, order: Order, pricing: Pricing, rival: Decimal | None) -> Candidate | Hold:
    """Check one order against every rule that concerns it alone; the first violated rule is its hold."""
    market = basis.market
    bidding = basis.desired.config.bidding if basis.desired.config else Bidding()
    assert market.provider is not None, "a general hold says that we are not registered"
    if refusal := eligibility_hold(order, bidding, market.provider):
        return refusal
    key = EffectKey(CreateBid.__name__, Subject.of_lease(LeaseId(order.id, market.wallet.address)))
    if back := retry_hold(basis.memory, key, Subject.of_order(order.id), basis.now):
        return back
    if USAGE_BILLED in order.attributes:
        price, offer = price_of(order.demand, pricing), USAGE_BID
    else:
        price = offer = bid_price(order, bidding, pricing, rival)
    if refusal := _price_hold(basis, order, Candidate(order, price, offer)):
        return refusal
    return Candidate(order, price, offer)


def _price_hold(basis: MarketBasis, order: Order, candidate: Candidate) -> Hold | None:
    subject = Subject.of_order(order.id)
    price, offer = candidate.price, candidate.offer
    if price <= 0:
        return Hold(subject, Reason.NO_PRICE, "the price is 0; the chain rejects zero bids")
    if offer > order.price:
        why = f"it pays at most {show_rate(order.price)} a block, our price is {show_rate(offer)}"
        return Hold(subject, Reason.PRICE_TOO_LOW, why)
    fees = Fees.under(basis.market.rules, basis.limits, basis.memory)
    blocks = fees.break_even_blocks(price, basis.market.rules.take_percent)
    seconds = basis.seconds(blocks)
    bound = basis.desired.config.bidding.break_even_seconds if basis.desired.config else 0
    if seconds > bound:
        why = (
            f"at {plain(price)}uve a block it earns back the {fees.lease_costs}uve of its fees only after "
            f"{plain(round(Decimal(seconds) / 3600, 1))} hours; config.yaml allows {bound / 3600:g}"
        )
        return Hold(subject, Reason.BREAK_EVEN, why)
    return None


def _allocate(basis: MarketBasis, candidates: list[Candidate]) -> tuple[tuple[CreateBid, ...], list[Hold]]:
    """Promise machines and budget in order; the remaining candidates are held."""
    if not candidates:
        return (), []
    capacity = offered(basis.adapters)
    if isinstance(capacity, Unseen):
        reason = unseen_reason(capacity)
        return (), [Hold(Subject.of_order(c.order.id), reason, capacity.why) for c in candidates]
    headroom, budget = basis.reservation.headroom, BidBudget.of(basis)
    features = provided_features(basis)
    share = TenantShare.of(basis, capacity.view)
    bids: list[CreateBid] = []
    holds: list[Hold] = []
    for candidate in candidates:
        order, pieces = candidate.order, pieces_of(candidate.order.units)
        able = headroom.only(able_adapters(features, order)) if has_needs(order) else headroom
        if not able.adapters:
            holds.append(unsupported_hold(features, order))
            continue
        wanted = placement_attributes(order)
        promise = able.place(pieces, wanted)
        if promise is None:
            short = able.shortage(pieces, wanted)
            holds.append(Hold(Subject.of_order(order.id), Reason.NO_CAPACITY, short))
        elif over := share.exceeded_by(order):
            holds.append(over)
        elif len(bids) >= basis.limits.bids_per_cycle:
            why = f"bids_per_cycle of the host file ({len(bids)}) is reached"
            holds.append(Hold(Subject.of_order(order.id), Reason.CEILING, why))
        elif empty := budget.lacks():
            holds.append(replace(empty, subject=Subject.of_order(order.id)))
        else:
            budget, share = budget.after_bid(), share.after_bid(order)
            headroom = headroom.after(promise, pieces)
            bids.append(_bid(basis, candidate, promise))
    return tuple(bids), holds


def _bid(basis: MarketBasis, candidate: Candidate, promise: Promise) -> CreateBid:
    own, order = LeaseId(candidate.order.id, basis.market.wallet.address), candidate.order
    return CreateBid(own, candidate.offer, basis.market.rules.bid_deposit, order.units, promise)
