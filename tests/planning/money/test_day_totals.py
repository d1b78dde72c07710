"""The fee budget of a day, and how long the balance lasts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.planning.memory_update import confirm_all
from reconciler.planning.money.day_totals import (
    balance_seconds_left,
    day_fees,
    is_balance_falling,
    with_totals,
)
from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import CloseReason, Config, Withdrawals
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.limits import Limits
from reconciler.values.memory import HourTotals, WalletLedger
from reconciler.values.messages import CloseBid, Message, RecordUsage, WithdrawLease
from reconciler.values.observed import Transfer, Wallet
from reconciler.values.plans import Hold, Reason, SendTransaction
from reconciler.values.readings import Seen
from tests import makers
from tests.cycle.worlds import intent
from tests.planning.money.test_usage import expiring

HOUR, DAY = 3_600, 86_400
SPENT = WalletLedger(10_000_000, balance=10_000_000, hours=(HourTotals(makers.NOW - 2 * HOUR, fees=99_000),))
BUDGET = Limits(fees_per_day=100_000)


def sent(given: PlanningInput) -> list[Message]:
    return [m for a in plan(given).actions if isinstance(a, SendTransaction) for m in a.messages]


def held(given: PlanningInput) -> list[Hold]:
    return [h for h in plan(given).holds if "fees_per_day" in h.message]


WITHDRAWING = makers.planning_input(
    makers.market(leases=[makers.lease(rate=30_000)]),
    makers.desired(config=Config(withdrawals=Withdrawals(every_seconds=60))),
    memory=makers.remembered(ledger=SPENT),
)
BIDDING = makers.planning_input(
    makers.market(orders=[makers.order(5)]), memory=makers.remembered(ledger=SPENT)
)


@pytest.mark.parametrize("given", [WITHDRAWING, BIDDING])
def test_what_the_day_s_fees_do_not_cover_waits_with_the_figures(given: PlanningInput) -> None:
    limited = replace(given, limits=BUDGET)
    assert len(sent(given)) == 1
    assert not sent(limited)
    [hold] = held(limited)
    assert hold.reason is Reason.CEILING
    assert "1000uve are left" in hold.message
    later = replace(SPENT, hours=(HourTotals(makers.NOW - DAY - HOUR, fees=99_000),))
    assert len(sent(replace(limited, memory=makers.remembered(ledger=later)))) == 1


def test_what_stops_a_loss_exceeds_the_day_s_fees() -> None:
    dry = makers.account(makers.lease(), funds=2446 * 50)
    ending = makers.market(leases=[makers.lease()], accounts=[dry])
    closing = makers.desired(makers.workload(close=CloseReason.DECOMMISSION))
    memory = makers.remembered(ledger=SPENT)
    ended = makers.planning_input(ending, memory=memory, limits=BUDGET)
    closed = makers.planning_input(
        makers.market(leases=[makers.lease()]), closing, memory=memory, limits=BUDGET
    )
    assert [type(m) for m in sent(ended)] == [WithdrawLease]
    assert [type(m) for m in sent(closed)] == [CloseBid]


def test_usage_that_may_be_lost_exceeds_the_day_s_fees() -> None:
    given = expiring(30, 3_600)
    limited = replace(given, limits=BUDGET, memory=replace(given.memory, ledger=SPENT))
    assert {type(m) for m in sent(limited)} >= {RecordUsage, CloseBid}
    assert not held(limited)


def test_bids_wait_before_withdrawals() -> None:
    market = makers.market(leases=[makers.lease(rate=30_000)], orders=[makers.order(5)])
    spent = replace(SPENT, hours=(HourTotals(makers.NOW - 2 * HOUR, fees=95_000),))
    memory = makers.remembered(ledger=spent)
    both = replace(WITHDRAWING, market=Seen(market), memory=memory, limits=BUDGET)
    assert [type(m) for m in sent(both)] == [WithdrawLease]
    assert [h.subject.name for h in held(both)] == [str(makers.order(5).id)]


def test_the_fee_of_each_transaction_counts_once_and_for_a_day() -> None:
    end = Confirmation(intent(sequence=7), IntentOutcome.LANDED, makers.HEIGHT, makers.NOW)
    ledger = confirm_all(makers.remembered(), [end], makers.NOW, 8).ledger
    assert day_fees(ledger, makers.NOW) == end.intent.fee
    assert day_fees(ledger, makers.NOW + DAY) == end.intent.fee
    assert day_fees(ledger, makers.NOW + DAY + HOUR) == 0


def test_the_totals_of_a_year_are_those_of_a_day() -> None:
    ledger = WalletLedger()
    for at in range(makers.NOW, makers.NOW + 365 * DAY, 1_700):
        ledger = with_totals(ledger, at, fees=1)
    assert len(ledger.hours) <= 26
    assert 50 <= day_fees(ledger, at) <= 54


@pytest.mark.parametrize(
    ("earned", "left", "falls"),
    [
        (-3_000_000, 2 * DAY, True),
        (-1_500_000, 4 * DAY, True),
        (0, None, False),
        (5_000, None, False),
    ],
)
def test_the_balance_lasts_as_long_as_the_last_day_s_rate_lets_it(
    earned: int, left: int | None, falls: bool
) -> None:
    hours = (HourTotals(makers.NOW - DAY, earned=earned // 3), HourTotals(makers.NOW, earned=earned * 2 // 3))
    ledger = WalletLedger(balance=7_000_000, hours=hours)
    assert balance_seconds_left(ledger, 1_000_000, makers.NOW) == left
    assert is_balance_falling(ledger, makers.NOW) is falls


@pytest.mark.parametrize("ledger", [None, WalletLedger()])
def test_a_balance_that_is_not_known_neither_falls_nor_stays(ledger: WalletLedger | None) -> None:
    assert balance_seconds_left(ledger, 0, makers.NOW) is None
    assert is_balance_falling(ledger, makers.NOW) is None


def test_a_young_ledger_is_compared_with_its_age_and_a_short_balance_lasts_no_time() -> None:
    hours = (HourTotals(makers.NOW - 60, earned=-6_000),)
    ledger = WalletLedger(balance=7_000_000, hours=hours, began_at=makers.NOW - 60)
    assert balance_seconds_left(ledger, 1_000_000, makers.NOW) == 1_000 * HOUR
    assert balance_seconds_left(ledger, 8_000_000, makers.NOW) == 0
    old = replace(ledger, began_at=makers.NOW - 9 * DAY)
    assert balance_seconds_left(old, 1_000_000, makers.NOW) == 1_000 * DAY, "one loss in a quiet day"


COLLECTOR = "ve17xpfvakm2amg962yls6f84z3kell8c5lvyc5y4"
ESCROW = "ve14pphss726thpwws3yc458hggufynm9x70ervuw"


@pytest.mark.parametrize(
    ("recipient", "low"),
    [(COLLECTOR, True), (makers.ALICE, False), (ESCROW, False)],
    ids=["a fee", "a transfer to others", "a deposit"],
)
def test_only_a_loss_shortens_the_time_that_is_left(recipient: str, low: bool) -> None:
    paid = Transfer(makers.HEIGHT, "T", makers.US, recipient, 500_000)
    bids = [makers.bid(deposit=500_000)] if recipient == ESCROW else []
    seen = makers.market(wallet=Wallet(makers.US, 4, 7, 9_500_000), transfers=(paid,), bids=bids)
    young = WalletLedger(10_000_000, balance=10_000_000, began_at=makers.NOW - HOUR)
    given = makers.planning_input(seen, memory=makers.remembered(height=makers.HEIGHT - 1, ledger=young))
    found = [h.message for h in plan(given).holds if h.reason is Reason.LOW_BALANCE]
    assert [m.split(";")[0] for m in found] == (
        ["at the rate of the last day, the balance falls to the reserve within 1d"] if low else []
    )
