from dataclasses import replace

import pytest

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import CloseReason, Config, Withdrawals
from reconciler.values.ids import LeaseId, OrderId, workload_id
from reconciler.values.intents import Intent
from reconciler.values.limits import Limits
from reconciler.values.messages import CloseBid, CreateBid, Message
from reconciler.values.observed import Lease, Market, State
from reconciler.values.plans import Reason, Rebroadcast, SendTransaction
from tests.makers import (
    ALICE,
    HEIGHT,
    US,
    account,
    bid,
    desired,
    lease,
    lease_id,
    market,
    order,
    order_id,
    planning_input,
    remembered,
    workload,
)

EVERY_MINUTE = Config(withdrawals=Withdrawals(every_seconds=60))
BUSY = market(orders=[order(5)], bids=[bid(6, order(6, state=State.ACTIVE))], leases=[lease()])
CLOSING = CloseBid(lease_id(6), CloseReason.UNSPECIFIED)


def sent(given: PlanningInput) -> list[tuple[Message, ...]]:
    return [a.messages for a in plan(given).actions if isinstance(a, SendTransaction)]


def held(given: PlanningInput, reason: Reason) -> set[str]:
    return {h.subject.name for h in plan(given).holds if h.reason is reason}


def intent(signed_at: int) -> Intent:
    return Intent("AB" * 32, b"", (CLOSING,), 3_000, 7, HEIGHT + 20, signed_at)


def test_closings_go_before_bids_and_withdrawals_wait_for_their_turn() -> None:
    given = planning_input(BUSY, desired(config=EVERY_MINUTE))
    [[closing, created]] = sent(given)
    assert (closing, type(created)) == (CLOSING, CreateBid)
    assert held(given, Reason.AWAITING_CONFIRMATION) == {workload_id(lease_id())}


def test_a_bid_that_waits_for_withdrawals_is_held() -> None:
    given = planning_input(BUSY, desired(config=EVERY_MINUTE), memory=remembered(last_batch="market"))
    assert len(sent(given)) == 1
    assert held(given, Reason.AWAITING_CONFIRMATION) == {str(order_id(5)), str(lease_id(6))}


def test_messages_are_held_while_a_transaction_is_unconfirmed() -> None:
    given = planning_input(BUSY, desired(config=EVERY_MINUTE), intents=(intent(HEIGHT),))
    assert plan(given).actions == ()
    waiting = held(given, Reason.AWAITING_CONFIRMATION)
    assert waiting == {str(order_id(5)), str(lease_id(6)), workload_id(lease_id())}


def test_bytes_that_are_overdue_are_sent_again() -> None:
    given = planning_input(BUSY, intents=(intent(HEIGHT - 2),))
    assert plan(given).actions == (Rebroadcast("AB" * 32),)


@pytest.mark.parametrize("limits", [Limits(stop_spending=True), Limits(observe_only=True)])
def test_no_bytes_are_sent_again_while_sending_is_stopped(limits: Limits) -> None:
    given = planning_input(BUSY, intents=(intent(HEIGHT - 2),), limits=limits)
    assert plan(given).actions == ()


def test_a_transaction_is_full_at_its_ceiling() -> None:
    given = planning_input(BUSY, limits=Limits(messages_per_transaction=1))
    assert sent(given) == [(CLOSING,)]
    assert held(given, Reason.CEILING) == {str(order_id(5))}


def pair() -> Market:
    """Two leases of one deployment, funds at their end."""
    key = LeaseId(OrderId(ALICE, 1, 2, 1), US)
    one = lease()
    second: Lease = replace(one, id=key, payment=replace(one.payment, lease=key))
    return market(leases=[second, one], accounts=[account(one, second, settled_at=HEIGHT - 1)])


def test_two_leases_of_a_deployment_are_not_closed_in_one_block() -> None:
    """The second would leave its payment open for ever (semantics 4.4)."""
    files = [
        replace(workload(), id=workload_id(x), lease=x, close=CloseReason.DECOMMISSION) for x in pair().leases
    ]
    given = planning_input(pair(), desired(*files))
    [messages] = sent(given)
    assert [m.id for m in messages if isinstance(m, CloseBid)] == [lease_id()]
    assert held(given, Reason.AWAITING_HEIGHT) == {f.id for f in files if f.lease != lease_id()}


def test_the_order_in_which_leases_are_listed_decides_nothing() -> None:
    due = desired(config=EVERY_MINUTE)
    seen = replace(pair(), accounts={lease_id().deployment: account(*pair().leases.values())})
    reversed_mapping = replace(seen, leases=dict(reversed(list(seen.leases.items()))))
    assert sent(planning_input(seen, due)) == sent(planning_input(reversed_mapping, due))


def test_a_suspension_is_reported_without_pending_messages() -> None:
    given = planning_input(market(), desired(config=Config(suspended="moving house")))
    [hold] = [h for h in plan(given).holds if h.reason is Reason.SUSPENDED]
    assert (hold.subject.name, hold.ours) == ("spending", True)
    assert "moving house" in hold.message
    assert held(planning_input(market(), desired()), Reason.SUSPENDED) == set()
