"""What a message may cost: what it brings."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import Bidding, CloseReason, Config, Withdrawals
from reconciler.values.limits import Limits
from reconciler.values.memory import Retry
from reconciler.values.messages import CloseBid, CreateBid, WithdrawLease
from reconciler.values.observed import ChainParams, Market, State
from reconciler.values.plans import Reason, SendTransaction, effect_key
from reconciler.values.refusals import read_refusal
from reconciler.values.resources import MB, Resources
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
    unit,
    workload,
)

RESERVE = Limits().balance_reserve


def sending(given: PlanningInput) -> SendTransaction:
    [found] = [a for a in plan(given).actions if isinstance(a, SendTransaction)]
    return found


def priced(seen: Market, factor: int) -> Market:
    return replace(seen, rules=ChainParams(gas_price=Decimal("0.025") * factor))


@pytest.mark.parametrize("factor", [1, 3, 10])
def test_a_withdrawal_may_cost_what_it_brings(factor: int) -> None:
    given = planning_input(
        priced(market(leases=[lease(rate=30_000)]), factor),
        desired(config=Config(withdrawals=Withdrawals(every_seconds=60))),
    )
    found = sending(given)
    assert isinstance(found.messages[0], WithdrawLease)
    assert found.terms.fees_max == (found.messages[0].expected,)
    assert found.terms.fee < 3_300 * factor


def test_the_withdrawal_that_ends_unpaid_leases_may_use_the_reserve() -> None:
    """It closes every lease of a deployment, at three times the gas of another."""
    dry = account(lease(), funds=2446 * 50)
    found = sending(planning_input(market(leases=[lease()], accounts=[dry])))
    assert isinstance(found.messages[0], WithdrawLease)
    assert found.terms.fees_max == (found.messages[0].expected + RESERVE,)


def test_without_a_reserve_the_deposit_pays_for_the_end_of_an_unpaid_lease() -> None:
    dry, own = account(lease(), funds=2446 * 50), bid(1, order(1, state=State.ACTIVE), state=State.ACTIVE)
    seen = market(leases=[lease()], bids=[own], accounts=[dry])
    found = sending(planning_input(seen, limits=Limits(balance_reserve=0)))
    assert isinstance(found.messages[0], WithdrawLease)
    assert found.terms.fees_max == (found.messages[0].expected + own.deposit,)


def test_closing_a_bid_may_cost_its_deposit_and_closing_a_lease_the_reserve_too() -> None:
    lost = bid(6, order(6, state=State.ACTIVE), deposit=600_000)
    file = workload(close=CloseReason.DECOMMISSION)
    seen = market(leases=[lease()], bids=[lost], accounts=[account(lease(), settled_at=HEIGHT - 1)])
    found = sending(planning_input(seen, desired(file)))
    gross = 2 * 2446
    assert [type(m) for m in found.messages] == [CloseBid, CloseBid]
    assert found.terms.fees_max == (600_000, RESERVE + gross - gross * 2 // 100)


def test_a_bid_may_cost_what_its_lease_earns_until_break_even() -> None:
    """A group of twenty units uses several times the gas of one."""
    room = Resources(10**6, 10**6 * MB, 10**8 * MB)
    seen = market(orders=[order(5, unit(count=20))])
    share = Limits(promised_per_tenant_percent=100)
    given = planning_input(seen, adapters=adapter(room=room), limits=share)
    [most] = sending(given).terms.fees_max
    assert most > 400_000


def test_bids_together_stay_within_the_hourly_allowance() -> None:
    given = planning_input(
        market(orders=[order(5), order(6)]), limits=Limits(spend_per_hour=1_020_000, balance_reserve=0)
    )
    found = sending(given)
    assert len(found.messages) == 2
    assert found.terms.fees_max == (10_000, 10_000)


def test_at_a_higher_gas_price_a_bid_that_does_not_pay_is_held_with_the_figures() -> None:
    seen = market(orders=[order(5, unit(price=4))], block_seconds=Decimal(5))
    config = Config(bidding=Bidding(break_even_seconds=86_400))
    cheap = replace(PRICING, cpu_millicores=Decimal("0.001"), memory_mb=Decimal(0), storage_mb=Decimal(0))
    wanted = desired(config=config, pricing=cheap)
    assert isinstance(sending(planning_input(seen, wanted)).messages[0], CreateBid)
    held = plan(planning_input(priced(seen, 10), wanted)).holds
    [hold] = [h for h in held if h.reason is Reason.BREAK_EVEN]
    assert "86417uve of its fees" in hold.message


def test_a_message_that_cost_more_than_it_brings_is_held_with_the_sum() -> None:
    words = "its fee for 130000 gas is 3250uve, more than the 2900uve that it brings"
    failed = Retry(1, NOW + 15, "NotWorthItsFee", words)
    message = WithdrawLease(lease_id())
    memory = remembered(retries={effect_key(message): failed})
    given = planning_input(
        market(leases=[lease()]), desired(config=Config(withdrawals=Withdrawals(60))), memory=memory
    )
    [hold] = [h for h in plan(given).holds if h.reason is Reason.NOT_WORTH_ITS_FEE]
    assert words in hold.message


@pytest.mark.parametrize(
    ("words", "advised"),
    [
        ("insufficient fee: min gas prices 0.075uve, got 0.025uve", False),
        ("insufficient fees; got: 1uve required: 3uve: insufficient fee", False),
        ("deposit invalid: insufficient balance", True),
        ("spendable balance 1uve is smaller than 2uve: insufficient funds", True),
    ],
)
def test_funds_are_advised_only_where_they_are_the_cause(words: str, advised: bool) -> None:
    assert ("add funds" in read_refusal(words).outcome.advice) is advised
