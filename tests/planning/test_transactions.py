from dataclasses import replace
from typing import Any

import pytest

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.planning.transactions import SHARED_MAX
from reconciler.values.desired import CloseReason, Config, Withdrawals
from reconciler.values.ids import LeaseId, OrderId, workload_id
from reconciler.values.intents import Confirmation, Intent, IntentOutcome
from reconciler.values.limits import Limits
from reconciler.values.messages import CloseBid, CreateBid, Message
from reconciler.values.observed import Lease, Market, State
from reconciler.values.plans import Reason, Rebroadcast, SendTransaction
from reconciler.values.readings import Seen
from reconciler.values.resources import MB, Resources
from tests.makers import (
    ALICE,
    HEIGHT,
    NOW,
    US,
    account,
    adapter,
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


def bids_of(count: int, first: int = 100) -> Market:
    return market(
        orders=[order(first + n) for n in range(count)], wallet=replace(market().wallet, balance=10**9)
    )


RICH = Limits(spend_per_hour=10**9, promised_per_tenant_percent=100)


def roomy(seen: Market, **changes: Any) -> PlanningInput:
    room = Resources(10**6, 10**6 * MB, 10**8 * MB)
    return planning_input(seen, limits=RICH, adapters=adapter(room=room), **changes)


def test_messages_that_tenants_can_invalidate_share_a_transaction_within_limits() -> None:
    [messages] = sent(roomy(bids_of(60)))
    assert len(messages) == SHARED_MAX
    dead = [bid(n, order(n, state=State.CLOSED)) for n in range(200, 260)]
    [messages] = sent(roomy(market(bids=dead)))
    assert len(messages) == 60


def failed_in_block(given: PlanningInput, index: int | None) -> PlanningInput:
    """The next cycle, after the transaction failed in a block by the act of one tenant, or by a panic."""
    [messages] = sent(given)
    log = f"failed to execute message; message index: {index}: lease not active"
    if index is None:
        log = "recovered: couldn't find payment"
    seen = given.seen_market
    assert seen is not None
    sequence = seen.wallet.sequence
    sending = Intent("CD" * 32, b"", messages, 50_000, sequence, HEIGHT + 20, HEIGHT)
    end = Confirmation(sending, IntentOutcome.REFUSED, HEIGHT, seen.time, 10, "market", log)
    later = given.now + 7_200
    market_then = replace(seen, time=later, wallet=replace(seen.wallet, sequence=sequence + 1))
    return replace(
        given, now=later, market=Seen(market_then), confirmations=(end,), memory=plan(given).memory
    )


def test_one_tenant_s_act_does_not_cost_the_fee_of_all_again_and_again() -> None:
    """Closing one lease in front of a withdrawal of a hundred cost 289,000uve, repeatedly."""
    hostile = replace(order(1, created_at=HEIGHT - 9), id=OrderId("ve1mallory", 1, 1, 1))
    second_order = replace(order(2, created_at=HEIGHT - 9), id=OrderId("ve1mallory", 2, 1, 1))
    seen = replace(
        bids_of(60), orders={o.id: o for o in (hostile, second_order, *bids_of(60).orders.values())}
    )
    given = roomy(seen)
    [messages] = sent(given)
    index = next(n for n, m in enumerate(messages) if "mallory" in str(m))
    after = failed_in_block(given, index)
    [messages] = sent(after)
    assert len(messages) == 1
    assert "mallory" in str(messages[0])
    following = replace(after, confirmations=(), memory=plan(after).memory)
    [messages] = sent(following)
    assert len(messages) == SHARED_MAX // 2
    assert not any("mallory" in str(m) for m in messages)


def test_failures_that_name_nobody_halve_what_shares_a_transaction_down_to_one() -> None:
    given, sizes = roomy(bids_of(60)), []
    for _ in range(6):
        [messages] = sent(given)
        sizes.append(len(messages))
        given = failed_in_block(given, None)
    assert sizes == [25, 12, 6, 3, 1, 1]


def test_successes_raise_it_again_one_by_one() -> None:
    given = roomy(bids_of(60), memory=remembered(shared_max=6))
    [messages] = sent(given)
    assert len(messages) == 6
    sending = Intent("CD" * 32, b"", messages, 50_000, 7, HEIGHT + 20, HEIGHT)
    end = Confirmation(sending, IntentOutcome.LANDED, HEIGHT, NOW)
    assert plan(replace(given, confirmations=(end,))).memory.shared_max == 7
    full = replace(given.memory, shared_max=SHARED_MAX)
    assert plan(replace(given, confirmations=(end,), memory=full)).memory.shared_max == SHARED_MAX


def test_a_tenant_is_trusted_again_after_a_day() -> None:
    memory = remembered(invalidators={ALICE: NOW - 86_400, "ve1mallory": NOW - 86_399})
    assert plan(roomy(bids_of(2), memory=memory)).memory.invalidators == {"ve1mallory": NOW - 86_399}
