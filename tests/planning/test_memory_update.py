"""What counts against the hour's allowance: all that is signed, until it is proven unspent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.planning.memory_update import confirm_all
from reconciler.planning.planner import plan
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.limits import Limits
from reconciler.values.messages import CreateBid
from reconciler.values.observed import Wallet
from reconciler.values.plans import Hold, Reason, SendTransaction
from reconciler.values.subjects import Subject
from tests import makers
from tests.cycle.worlds import intent

DEPOSIT = 500_000
BID = CreateBid(makers.lease_id(), Decimal(2446), DEPOSIT, (makers.unit(),))
SENT = intent(BID, sequence=7)
SPENT = SENT.fee + DEPOSIT


def spent(outcome: IntentOutcome, sequence: int | None, code: int = 0) -> int:
    end = Confirmation(SENT, outcome, makers.HEIGHT, makers.NOW, code)
    ledger = confirm_all(makers.remembered(), [end], makers.NOW, sequence).ledger
    assert ledger is not None
    return sum(amount for _, amount in ledger.spent)


def test_a_transaction_that_landed_counts_with_its_deposits_and_a_refused_one_with_its_fee() -> None:
    assert spent(IntentOutcome.LANDED, 8) == SPENT
    assert spent(IntentOutcome.REFUSED, 8, code=5) == SENT.fee


@pytest.mark.parametrize("code", [0, 30, 32])
def test_an_expired_one_counts_unless_its_sequence_is_unused(code: int) -> None:
    assert spent(IntentOutcome.EXPIRED, 7, code) == 0
    assert spent(IntentOutcome.EXPIRED, 8, code) == SPENT
    assert spent(IntentOutcome.EXPIRED, 9, code) == SPENT
    assert spent(IntentOutcome.EXPIRED, None, code) == SPENT


def test_a_node_that_hides_what_landed_does_not_reopen_the_allowance() -> None:
    """Each transaction lands and is called expired: the hour's ceiling holds all the same."""
    fee = 10_000
    limits = Limits(spend_per_hour=3 * (DEPOSIT + fee), timeout_blocks=1)
    memory, sequence, height, bids = makers.remembered(), 7, makers.HEIGHT, 0
    orders = [makers.order(number) for number in range(1, 40)]
    hidden: tuple[Confirmation, ...] = ()
    for cycle in range(30):
        now = makers.NOW + cycle
        market = makers.market(
            orders=orders,
            height=height,
            time=now,
            wallet=Wallet(makers.US, 4, sequence, 10**9),
        )
        made = plan(
            makers.planning_input(market, memory=memory, limits=limits, now=now, confirmations=hidden)
        )
        memory, hidden = made.memory, ()
        sends = [action for action in made.actions if isinstance(action, SendTransaction)]
        for action in sends:
            bids += sum(isinstance(message, CreateBid) for message in action.messages)
            signed = replace(intent(*action.messages), sequence=sequence, fee=fee)
            hidden = (Confirmation(signed, IntentOutcome.EXPIRED, height, now),)
            sequence += 1
        height += 2
    assert 0 < bids <= 3
    assert memory.ledger is not None
    assert sum(amount for _, amount in memory.ledger.spent) >= bids * DEPOSIT


def test_a_deposit_above_the_host_s_limit_is_not_locked() -> None:
    market = makers.market(orders=[makers.order(1)])
    market = replace(market, rules=replace(market.rules, bid_deposit=7_000_000))
    made = plan(makers.planning_input(market))
    assert not [action for action in made.actions if isinstance(action, SendTransaction)]
    [hold] = [each for each in made.holds if each.reason is Reason.CEILING]
    assert hold == Hold(
        Subject.of_order(makers.order_id(1)),
        Reason.CEILING,
        "the chain requires a deposit of 7000000uve a bid; the host file allows 2500000uve (bid_deposit_max)",
    )
    allowed = plan(makers.planning_input(market, limits=Limits(bid_deposit_max=7_000_000)))
    assert [action for action in allowed.actions if isinstance(action, SendTransaction)]
