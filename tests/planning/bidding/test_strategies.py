"""The price of a bid by strategy."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.planning.bidding.strategies import bid_price
from reconciler.planning.money.fees import Fees
from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import Bidding, BidStrategy, Config, Rounding
from reconciler.values.ids import LeaseId
from reconciler.values.messages import CreateBid
from reconciler.values.observed import Order
from reconciler.values.plans import Reason, SendTransaction
from reconciler.values.pricing import cost_price
from reconciler.values.pricing import price as price_of
from reconciler.values.readings import Seen
from tests.makers import PRICING, desired, market, order, order_id, planning_input, unit

PERCENT = Bidding(strategy=BidStrategy.PERCENT_OF_MAXIMUM, maximum_percent=90)
UNDERCUT = Bidding(strategy=BidStrategy.UNDERCUT, undercut_percent=10)
RIVAL = LeaseId(order_id(1), "ve1rival")
OTHER = LeaseId(order_id(1), "ve1other")

PRICE, COST = Decimal(2446), Decimal(2127)
"""Of the order: with and without the margin of 15 %."""

MAXIMUM = 5000


def wanted() -> Order:
    return order(1, unit(price=MAXIMUM))


@pytest.mark.parametrize(
    ("bidding", "rival", "bid"),
    [
        (Bidding(), None, PRICE),
        (Bidding(), Decimal(2300), PRICE),
        (PERCENT, None, Decimal(4500)),
        (replace(PERCENT, maximum_percent=100), Decimal(10), Decimal(5000)),
        (replace(PERCENT, maximum_percent=10), None, PRICE),
        (UNDERCUT, None, PRICE),
        (UNDERCUT, Decimal(9000), PRICE),
        (UNDERCUT, Decimal(2500), Decimal(2250)),
        (UNDERCUT, Decimal(2200), COST),
        (replace(UNDERCUT, undercut_percent=0), Decimal(2300), Decimal(2300)),
    ],
)
def test_the_price_of_a_bid(bidding: Bidding, rival: Decimal | None, bid: Decimal) -> None:
    assert bid_price(wanted(), bidding, PRICING, rival) == bid


def test_fractions_are_kept_without_rounding() -> None:
    exact = replace(PRICING, rounding=Rounding.NONE)
    assert bid_price(wanted(), UNDERCUT, exact, Decimal("2500.5")) == Decimal("2250.45")


@given(
    st.sampled_from(BidStrategy),
    st.integers(1, 100),
    st.integers(0, 50),
    st.none() | st.decimals(0, 20_000, places=3),
    st.sampled_from(Rounding),
)
def test_a_bid_is_never_below_cost_and_undercuts_where_cost_allows(
    strategy: BidStrategy, maximum: int, undercut: int, rival: Decimal | None, rounding: Rounding
) -> None:
    bidding = Bidding(strategy=strategy, maximum_percent=maximum, undercut_percent=undercut)
    pricing = replace(PRICING, rounding=rounding)
    asked = wanted()

    bid = bid_price(asked, bidding, pricing, rival)

    cost, price = cost_price(asked.demand, pricing), price_of(asked.demand, pricing)
    assert bid >= cost
    if strategy is not BidStrategy.UNDERCUT:
        assert price <= bid <= max(price, asked.price)
    elif rival is None:
        assert bid == price
    else:
        assert bid <= price
        assert bid <= rival or bid in (cost, price)


def situation(bidding: Bidding, rivals: dict[LeaseId, Decimal], maximum: int = MAXIMUM) -> PlanningInput:
    seen = replace(market(orders=[order(1, unit(price=maximum))]), rival_bids=rivals)
    return planning_input(seen, wanted=desired(config=Config(bidding=bidding)))


def dear_gas(bidding: Bidding, rivals: dict[LeaseId, Decimal]) -> PlanningInput:
    given_ = situation(bidding, rivals)
    assert given_.seen_market is not None
    rules = replace(given_.seen_market.rules, gas_price=Decimal("0.1"))
    return replace(given_, market=Seen(replace(given_.seen_market, rules=rules)))


def prices(given_: PlanningInput) -> list[Decimal]:
    sent = [action for action in plan(given_).actions if isinstance(action, SendTransaction)]
    return [m.price for action in sent for m in action.messages if isinstance(m, CreateBid)]


def test_the_plan_undercuts_the_lowest_of_the_other_bids() -> None:
    rivals = {RIVAL: Decimal(2600), OTHER: Decimal(2500)}
    assert prices(situation(UNDERCUT, rivals)) == [Decimal(2250)]


def test_a_bid_below_our_price_must_earn_back_its_fees_too() -> None:
    given_ = dear_gas(UNDERCUT, {})
    fees = Fees.under(given_.seen_market.rules, given_.limits) if given_.seen_market else None
    assert fees is not None
    blocks = fees.break_even_blocks(PRICE, 2)
    assert fees.break_even_blocks(COST, 2) > blocks
    lasting = replace(UNDERCUT, break_even_seconds=int(blocks * market().block_seconds) + 1)
    assert prices(dear_gas(lasting, {})) == [PRICE]
    held = plan(dear_gas(lasting, {RIVAL: COST}))
    assert [hold.reason for hold in held.holds if hold.subject.name == str(order_id(1))] == [
        Reason.BREAK_EVEN
    ]


def test_an_order_below_our_price_may_be_bid_on_below_a_rival() -> None:
    assert prices(situation(UNDERCUT, {RIVAL: Decimal(2500)}, maximum=2300)) == [Decimal(2250)]
    assert prices(situation(UNDERCUT, {}, maximum=2300)) == []
