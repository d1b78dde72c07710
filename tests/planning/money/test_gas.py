"""How much gas is bought: by measured use, and more where it did not suffice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.planning.memory_update import confirm_all, count_results
from reconciler.planning.money.gas import FIRST_FACTOR, MEASURED_MAX, SHORT_SECONDS, gas_factor
from reconciler.planning.planner import plan
from reconciler.values.desired import CloseReason
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory
from reconciler.values.messages import CloseBid, Message, WithdrawLease
from reconciler.values.observed import State
from reconciler.values.outcomes import Failed
from reconciler.values.plans import SendTransaction
from reconciler.values.records import message_result
from tests import makers
from tests.cycle.worlds import intent

CLOSING = CloseBid(makers.lease_id(), CloseReason.UNSPECIFIED)
WITHDRAWAL = WithdrawLease(makers.lease_id())
MISSING = "out of gas in location: WritePerByte; gasWanted: {}, gasUsed: {}: out of gas"


def ended(memory: Memory, used: int, *messages: Message, simulated: int = 100_000, log: str = "") -> Memory:
    sent = replace(intent(*messages), gas=simulated)
    outcome = IntentOutcome.REFUSED if log else IntentOutcome.LANDED
    code = 11 if log else 0
    end = Confirmation(sent, outcome, makers.HEIGHT, makers.NOW, code, "sdk" if log else "", log, used)
    return confirm_all(memory, [end], makers.NOW, 8)


def factor(memory: Memory, kind: str = "CloseBid", least: Decimal | None = None) -> Decimal:
    return gas_factor(memory, kind, least)


def test_the_factor_follows_the_largest_recent_use_of_its_kind() -> None:
    memory = ended(makers.remembered(), 101_400, CLOSING)
    assert factor(memory) == Decimal("1.034")
    assert factor(memory, "CreateBid") == FIRST_FACTOR
    for _ in range(MEASURED_MAX):
        memory = ended(memory, 99_000, CLOSING)
    assert factor(memory) == Decimal("1.02")
    assert len(memory.gas["CloseBid"]) == MEASURED_MAX


def test_every_kind_of_a_transaction_learns_from_it() -> None:
    memory = ended(makers.remembered(), 108_000, CLOSING, WITHDRAWAL)
    assert factor(memory) == factor(memory, "WithdrawLease") == Decimal("1.10")


def test_a_chain_that_needs_more_than_it_simulates_is_paid_after_one_refusal() -> None:
    """Each refusal states the gas used; fifteen in a row were paid for."""
    short = MISSING.format(105_000, 250_000)
    memory = ended(makers.remembered(), 105_000, CLOSING, log=short)
    assert factor(memory) >= Decimal("2.5")
    assert not memory.invalidators
    assert memory.shared_max == 0


def test_a_refusal_that_names_only_the_gas_until_then_doubles_it() -> None:
    memory = makers.remembered()
    factors = []
    for _ in range(4):
        memory = ended(memory, 105_000, CLOSING, log=MISSING.format(105_000, 105_010))
        factors.append(factor(memory))
    assert factors == [Decimal("2.1"), Decimal("4.2"), Decimal("8.4"), Decimal("16.8")]
    assert factor(ended(memory, 255_000, CLOSING)) == Decimal("2.57")


def test_a_refusal_by_the_nodes_check_counts_too() -> None:
    failed = Failed("ChainRefused", MISSING.format(30_000, 75_000))
    memory = count_results(makers.remembered(), [message_result(CLOSING, failed, makers.NOW)], makers.NOW)
    assert factor(memory) >= Decimal("2.5")


def test_the_host_files_factor_is_the_least() -> None:
    memory = ended(makers.remembered(), 101_000, CLOSING)
    assert factor(memory, least=Decimal("1.3")) == Decimal("1.3")
    assert factor(memory, least=Decimal("1.01")) == Decimal("1.03")


def test_no_measurement_is_believed_without_bounds() -> None:
    assert factor(ended(makers.remembered(), 10**15, CLOSING)) < 21
    assert factor(ended(makers.remembered(), 5, CLOSING)) == Decimal("1.02")


def test_the_plan_buys_what_was_measured() -> None:
    lost = makers.bid(6, makers.order(6, state=State.ACTIVE))
    seen = makers.market(bids=[lost], wallet=replace(makers.market().wallet, sequence=8))
    memory = ended(makers.remembered(), 108_000, CLOSING)
    [sending] = plan(makers.planning_input(seen, memory=memory)).actions
    assert isinstance(sending, SendTransaction)
    assert sending.terms.gas_factor == Decimal("1.10")
    [sending] = plan(
        makers.planning_input(seen, memory=memory, limits=Limits(gas_adjustment=Decimal("1.4")))
    ).actions
    assert isinstance(sending, SendTransaction)
    assert sending.terms.gas_factor == Decimal("1.4")


def refused(memory: Memory, *messages: Message, at: int = makers.NOW) -> Memory:
    failed = Failed("ChainRefused", MISSING.format(100_000, 101_000))
    return count_results(memory, [message_result(m, failed, at) for m in messages], at)


def test_one_refusal_of_several_messages_counts_once() -> None:
    many = [WithdrawLease(makers.lease_id(n)) for n in range(1, 6)]
    assert factor(refused(makers.remembered(), *many), "WithdrawLease") == Decimal("2.1")
    both = refused(makers.remembered(), *many, CLOSING)
    assert factor(both) == factor(both, "WithdrawLease") == Decimal("2.1")


def test_a_shortage_lapses_so_that_its_fee_holds_nothing_for_ever() -> None:
    memory = refused(makers.remembered(), CLOSING)
    for seconds, bought in ((SHORT_SECONDS - 1, Decimal("2.1")), (SHORT_SECONDS, FIRST_FACTOR)):
        later = count_results(memory, (), makers.NOW + seconds)
        assert factor(later) == bought
    assert factor(count_results(memory, (), makers.NOW - 10**6)) == FIRST_FACTOR


def test_spare_gas_is_not_measured() -> None:
    memory = ended(makers.remembered(), 270_000, WITHDRAWAL, simulated=0)
    assert factor(memory, "WithdrawLease") == FIRST_FACTOR


@pytest.mark.parametrize(
    ("log", "is_blamed"),
    [
        ("failed to execute message; message index: 0: lease not active", True),
        ("failed to execute message; message index: 0: insufficient funds", False),
        ("failed to execute message; message index: 0: MFA required for medium_withdrawal", False),
    ],
)
def test_only_what_a_tenant_can_cause_isolates_its_messages(log: str, is_blamed: bool) -> None:
    assert bool(ended(makers.remembered(), 90_000, WITHDRAWAL, log=log).invalidators) is is_blamed
