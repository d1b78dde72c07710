from dataclasses import replace
from typing import Any

import pytest

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import CloseReason
from reconciler.values.limits import Limits
from reconciler.values.messages import CloseBid, Message
from reconciler.values.observed import Order, State
from reconciler.values.plans import Reason, SendTransaction
from tests.makers import (
    HEIGHT,
    NOW,
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
