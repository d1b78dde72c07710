from dataclasses import replace

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import Config, Withdrawals
from reconciler.values.ids import LeaseId, OrderId
from reconciler.values.memory import Retry
from reconciler.values.messages import Message, WithdrawLease
from reconciler.values.observed import Lease
from reconciler.values.plans import Reason, SendTransaction
from reconciler.values.subjects import EffectKey
from tests.makers import (
    ALICE,
    HEIGHT,
    NOW,
    US,
    account,
    desired,
    lease,
    lease_id,
    market,
    order,
    planning_input,
    remembered,
)


def messages_of(given: PlanningInput) -> tuple[Message, ...]:
    return tuple(m for a in plan(given).actions if isinstance(a, SendTransaction) for m in a.messages)


EVERY_MINUTE = desired(config=Config(withdrawals=Withdrawals(every_seconds=60)))


def test_due_by_interval_and_worth_its_fee() -> None:
    given = planning_input(market(leases=[lease()]), EVERY_MINUTE)
    gross = 2446 * 101
    assert messages_of(given) == (WithdrawLease(lease_id(1), gross - gross * 2 // 100),)


def test_not_before_the_interval_has_passed_since_the_last_one() -> None:
    recent = remembered(withdrawn_at={lease_id(1): NOW - 59})
    assert messages_of(planning_input(market(leases=[lease()]), EVERY_MINUTE, memory=recent)) == ()


def test_not_for_less_than_the_fee() -> None:
    given = planning_input(market(leases=[lease(rate=1)]), EVERY_MINUTE)
    assert messages_of(given) == ()
    assert Reason.NOT_WORTH_ITS_FEE in {h.reason for h in plan(given).holds}


def test_before_the_funds_run_out_whatever_the_interval() -> None:
    """Past their end earlier payments eat the later ones' money (semantics 4.6)."""
    ending = account(lease(), funds=2446 * 105)
    given = planning_input(market(leases=[lease()], accounts=[ending]), desired())
    assert [type(m) for m in messages_of(given)] == [WithdrawLease]


def test_not_again_and_again_in_the_last_blocks() -> None:
    """What is left is paid by the settle that ends the lease; each withdrawal before it costs a fee."""
    ending = account(lease(), funds=2446 * 9, settled_at=HEIGHT - 4)
    assert messages_of(planning_input(market(leases=[lease()], accounts=[ending]), desired())) == ()


def test_exhausted_funds_are_reported_and_withdrawn() -> None:
    dry = account(lease(), funds=2446 * 50)
    given = planning_input(market(leases=[lease()], accounts=[dry]), desired())
    assert [type(m) for m in messages_of(given)] == [WithdrawLease]
    assert Reason.ESCROW_EXHAUSTED in {h.reason for h in plan(given).holds}


def test_a_lease_that_nobody_pays_for_is_ended_whatever_that_costs() -> None:
    """Nothing on the chain closes it until somebody settles (semantics 4.6)."""
    drawn = account(lease(), funds=0, settled_at=HEIGHT - 1)
    given = planning_input(market(leases=[lease()], accounts=[drawn]), desired())
    assert messages_of(given) == (WithdrawLease(lease_id(1), 0),)


def second() -> Lease:
    key = LeaseId(OrderId(ALICE, 1, 2, 1), US)
    one = lease()
    return replace(one, id=key, payment=replace(one.payment, lease=key))


def test_one_lease_of_a_deployment_at_a_time() -> None:
    """Two in one block break its payments (semantics 4.4)."""
    both = account(lease(), second())
    given = planning_input(market(leases=[lease(), second()], accounts=[both]), EVERY_MINUTE)
    assert [m.id for m in messages_of(given) if isinstance(m, WithdrawLease)] == [lease_id(1)]


def test_nothing_from_an_account_settled_at_this_height() -> None:
    fresh = account(lease(), settled_at=HEIGHT)
    assert messages_of(planning_input(market(leases=[lease()], accounts=[fresh]), EVERY_MINUTE)) == ()


def test_a_gate_that_refused_is_reported_and_retried() -> None:
    refused = Retry(1, NOW + 60, "ChainRefused", "MFA required for medium_withdrawal")
    memory = remembered(retries={EffectKey.parse(f"WithdrawLease:{lease_id(1)}"): refused})
    given = planning_input(market(leases=[lease()]), EVERY_MINUTE, memory=memory)
    assert messages_of(given) == ()
    assert any("MFA required" in h.message for h in plan(given).holds)


def test_withdrawals_never_share_a_transaction_and_take_turns() -> None:
    given = planning_input(market(orders=[order(5)], leases=[lease()]), EVERY_MINUTE)
    first = plan(given)
    assert {type(m).__name__ for m in messages_of(given)} == {"CreateBid"}
    after = replace(given, memory=first.memory)
    assert {type(m).__name__ for m in messages_of(after)} == {"WithdrawLease"}
