from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reconciler.planning.leases import BELOW_TODAYS_PRICE, OUTPRICED
from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import Bidding, BidStrategy, CloseReason, Config
from reconciler.values.ids import workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.limits import Limits
from reconciler.values.memory import PriceSpan, WorkloadMemory
from reconciler.values.messages import CloseBid, Message
from reconciler.values.observed import Order, State
from reconciler.values.plans import Reason, SendTransaction
from reconciler.values.resources import USAGE_BILLED
from tests.makers import (
    HEIGHT,
    NOW,
    PRICING,
    account,
    adapter,
    bid,
    desired,
    lease,
    lease_id,
    market,
    order,
    planning_input,
    remembered,
    running,
    workload,
)


def messages_of(given: PlanningInput) -> tuple[Message, ...]:
    return tuple(m for a in plan(given).actions if isinstance(a, SendTransaction) for m in a.messages)


@pytest.mark.parametrize(
    "of",
    [
        order(state=State.ACTIVE),
        order(state=State.CLOSED),
        order(deployment_state=State.CLOSED),
        order(group_state=State.CLOSED),
        order(group_state=State.INSUFFICIENT_FUNDS),
    ],
)
def test_a_bid_that_cannot_win_is_closed_for_its_deposit(of: Order) -> None:
    given = planning_input(market(bids=[bid(of=of)]))
    assert messages_of(given) == (CloseBid(lease_id(1), CloseReason.UNSPECIFIED),)


def test_a_bid_that_may_win_stays() -> None:
    assert messages_of(planning_input(market(orders=[order()], bids=[bid()]))) == ()


DOUBLE = replace(PRICING, cpu_millicores=Decimal(10))
"""At which the order costs 12,796uve a block."""


@pytest.mark.parametrize(
    ("price", "is_closed"), [(2446, True), (10_236, True), (10_237, False), (12_796, False)]
)
def test_a_bid_far_below_todays_price_is_closed(price: int, is_closed: bool) -> None:
    """It was accepted at 2,446uve, when the price was 12,796uve."""
    given = planning_input(
        market(orders=[order()], bids=[bid(price=Decimal(price))]), desired(pricing=DOUBLE)
    )
    closing = CloseBid(lease_id(1), CloseReason.UNSPECIFIED, why=BELOW_TODAYS_PRICE)
    assert messages_of(given) == ((closing,) if is_closed else ())


def test_a_bid_is_never_outpriced_where_config_says_so_or_usage_is_billed() -> None:
    seen = market(orders=[order()], bids=[bid()])
    never = desired(pricing=DOUBLE, config=Config(bidding=Bidding(outpriced_percent=100)))
    assert messages_of(planning_input(seen, never)) == ()
    usage = order(attributes=[USAGE_BILLED])
    seen = market(orders=[usage], bids=[bid(of=usage, price=Decimal(1))])
    assert messages_of(planning_input(seen, desired(pricing=DOUBLE))) == ()


def test_a_bid_by_undercutting_is_compared_with_the_cost() -> None:
    """Such a bid is below our price from the start, and must not be closed for it."""
    half = replace(PRICING, profit_margin=Decimal("0.5"))
    undercut = Config(bidding=Bidding(strategy=BidStrategy.UNDERCUT))
    at_cost = market(orders=[order()], bids=[bid(price=Decimal(2_127))])
    assert messages_of(planning_input(at_cost, desired(pricing=half, config=undercut))) == ()
    assert messages_of(planning_input(at_cost, desired(pricing=half))) != ()


def raised(at: int, created_ago: int = 50, **memory: Any) -> PlanningInput:
    """A lease of our old price; the price was raised at a time."""
    new = replace(lease(), created_at=HEIGHT - created_ago)
    span = PriceSpan(at, Decimal(1), Decimal(1)), PriceSpan(0, Decimal("11.5"), Decimal("11.5"))
    seen = market(leases=[new], accounts=[account(new, settled_at=HEIGHT - 20)])
    return planning_input(
        seen, desired(pricing=DOUBLE), memory=remembered(prices={"cpu_millicores": span}, **memory)
    )


def test_a_lease_of_an_outpriced_bid_is_left_before_anything_is_deployed() -> None:
    leaving = (CloseBid(lease_id(1), CloseReason.UNSPECIFIED, lease=True, why=OUTPRICED),)
    assert messages_of(raised(NOW - 60)) == leaving
    assert messages_of(raised(NOW - 40)) == ()  # it was made at the price of its time
    pending = {workload_id(lease_id(1)): WorkloadMemory(lease_id(1), "kubernetes", Phase.PENDING)}
    assert messages_of(raised(NOW - 60, workloads=pending)) == leaving
    serving = {workload_id(lease_id(1)): WorkloadMemory(lease_id(1), "kubernetes", Phase.RUNNING)}
    assert messages_of(raised(NOW - 60, workloads=serving)) == ()
    assert messages_of(replace(raised(NOW - 60), limits=Limits(closings_per_hour=0))) == ()


def closing(**changes: Any) -> PlanningInput:
    file = workload(close=CloseReason.DECOMMISSION, close_words="moving out")
    fresh = account(lease(), settled_at=HEIGHT - 5)
    seen = market(leases=[lease()], accounts=[fresh])
    made = planning_input(seen, desired(file), adapters=adapter(running(file)))
    return replace(made, **changes)


def test_a_lease_closes_only_by_its_close_key() -> None:
    assert messages_of(closing()) == (CloseBid(lease_id(1), CloseReason.DECOMMISSION, lease=True),)


def test_closings_have_a_ceiling_an_hour() -> None:
    given = closing(limits=Limits(closings_per_hour=1), memory=remembered(closings=(NOW - 60,)))
    assert messages_of(given) == ()
    assert Reason.CEILING in {h.reason for h in plan(given).holds}


def test_no_closing_in_the_block_in_which_the_account_was_settled() -> None:
    """It would leave the payment open for ever (semantics 4.4)."""
    file = workload(close=CloseReason.UNSTABLE)
    seen = market(leases=[lease()], accounts=[account(lease(), settled_at=HEIGHT)])
    given = planning_input(seen, desired(file), adapters=adapter(running(file)))
    assert messages_of(given) == ()
    assert Reason.AWAITING_HEIGHT in {h.reason for h in plan(given).holds}
