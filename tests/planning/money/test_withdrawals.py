from dataclasses import replace

import pytest

from reconciler.planning.leases import FUNDS_RAN_OUT
from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import CloseReason, Config, Withdrawals
from reconciler.values.ids import LeaseId, OrderId
from reconciler.values.memory import Retry
from reconciler.values.messages import CloseBid, Message, WithdrawLease
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


@pytest.mark.parametrize(("rate", "is_drawn"), [(1_637, False), (1_638, True)])
def test_a_fee_is_at_most_two_percent_of_what_is_drawn(rate: int, is_drawn: bool) -> None:
    """Small leases spent a third of their income on withdrawals; here, the fee is 3,241uve."""
    given = planning_input(market(leases=[lease(rate=rate)]), EVERY_MINUTE)
    assert bool(messages_of(given)) is is_drawn
    wider = desired(config=Config(withdrawals=Withdrawals(every_seconds=60, fee_percent_max=50)))
    assert messages_of(planning_input(market(leases=[lease(rate=rate)]), wider))


def test_earnings_of_months_come_before_the_funds_end() -> None:
    """A lease that is never worth its fee until then is drawn once, for less than two percent or not."""
    small = lease(rate=40)
    ending = account(small, funds=40 * 105)
    given = planning_input(market(leases=[small], accounts=[ending]), desired())
    assert [type(m) for m in messages_of(given)] == [WithdrawLease]


def test_what_is_nearly_due_joins_a_transaction_that_is_sent_anyway() -> None:
    hour = desired(config=Config(withdrawals=Withdrawals(every_seconds=3_600)))
    big = [replace(lease(n, rate=100_000), created_at=HEIGHT - 900) for n in (1, 2, 3)]
    accounts = [account(each, funds=10**12) for each in big]
    drawn = {lease_id(1): NOW - 3_600, lease_id(2): NOW - 1_800, lease_id(3): NOW - 1_799}
    given = planning_input(market(leases=big, accounts=accounts), hour, memory=remembered(withdrawn_at=drawn))
    assert [m.id for m in messages_of(given) if isinstance(m, WithdrawLease)] == [lease_id(1), lease_id(2)]
    alone = remembered(withdrawn_at=drawn | {lease_id(1): NOW - 1_800})
    assert messages_of(replace(given, memory=alone)) == ()


@pytest.mark.parametrize(("left", "spare"), [(5, 0), (4, 147_000), (0, 147_000), (-1, 0)])
def test_gas_for_closing_the_lease_is_bought_where_its_funds_may_end_before_the_block(
    left: int, spare: int
) -> None:
    """Such a withdrawal uses 233,014 gas instead of 123,465, and out of gas it would pay nobody."""
    ending = account(lease(), funds=2446 * (100 + left))
    [sending] = [
        a
        for a in plan(planning_input(market(leases=[lease()], accounts=[ending]))).actions
        if isinstance(a, SendTransaction)
    ]
    assert sending.terms.gas_spare == spare


def test_what_ends_is_drawn_first_then_what_is_worth_most() -> None:
    rates = {1: 5_000, 2: 9_000, 3: 4_000}
    leases = [lease(n, rate=rate) for n, rate in rates.items()]
    accounts = [account(each, funds=4_000 * 105 if each.id == lease_id(3) else 10**12) for each in leases]
    given = planning_input(market(leases=leases, accounts=accounts), EVERY_MINUTE)
    assert [m.id for m in messages_of(given) if isinstance(m, WithdrawLease)] == [
        lease_id(3),
        lease_id(2),
        lease_id(1),
    ]


def test_an_exhausted_lease_whose_withdrawal_is_gated_is_closed() -> None:
    """Withdrawals never pass the default gates; a million stayed undrawn, and the workload ran unpaid."""
    dry = account(lease(), funds=2446 * 50)
    gated = Retry(3, NOW + 60, "ChainRefused", "MFA required for medium_withdrawal")
    memory = remembered(retries={EffectKey.parse(f"WithdrawLease:{lease_id(1)}"): gated})
    given = planning_input(market(leases=[lease()], accounts=[dry]), desired(), memory=memory)
    assert messages_of(given) == (
        CloseBid(lease_id(1), CloseReason.UNSPECIFIED, lease=True, why=FUNDS_RAN_OUT),
    )
    assert any("closed instead" in h.message for h in plan(given).holds)
    paid = account(lease(), funds=2446 * 500)
    assert (
        messages_of(planning_input(market(leases=[lease()], accounts=[paid]), desired(), memory=memory)) == ()
    )
    over = replace(given, memory=replace(memory, closings=(NOW - 1, NOW - 2, NOW - 3)))
    assert messages_of(over) == ()
    assert Reason.CEILING in {h.reason for h in plan(over).holds}


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
