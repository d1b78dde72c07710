"""Payouts: what exceeds the float, on schedule, within limits, and each once whatever journal is left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.planning.money.payouts import with_payout
from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.intents import Confirmation, Intent, IntentOutcome
from reconciler.values.ledger import EntryKind
from reconciler.values.limits import Limits, PayoutRules
from reconciler.values.memory import LedgerGap, Memory, Payout, Retry, WalletLedger
from reconciler.values.messages import CreateBid, PayOut
from reconciler.values.observed import SignedTransaction, Transfer, Wallet
from reconciler.values.plans import Hold, Plan, Reason, SendTransaction, effect_key
from tests import makers
from tests.cycle.worlds import intent

DAY = 86_400
FEE = 1_731
"""Expected for 65,942 gas and 5 % more."""

RULES = PayoutRules(makers.ALICE, operating_float=4_000_000)
PAID = PayOut(makers.ALICE, 6_000_000 - FEE)


def paying(memory: Memory | None = None, rules: PayoutRules | None = RULES, **market: Any) -> PlanningInput:
    """A quiet provider with 10,000,000uve."""
    seen = makers.market(**market)
    known = memory or makers.remembered()
    return makers.planning_input(seen, memory=known, limits=Limits(payout=rules), now=seen.time)


def payouts(made: Plan) -> list[PayOut]:
    sent = [m for a in made.actions if isinstance(a, SendTransaction) for m in a.messages]
    return [m for m in sent if isinstance(m, PayOut)]


def test_nothing_is_paid_out_by_default() -> None:
    assert not payouts(plan(paying(rules=None)))


@pytest.mark.parametrize(
    ("rules", "amount"),
    [
        (RULES, PAID.amount),
        (replace(RULES, operating_float=9_000_000 - FEE), 1_000_000),
        (replace(RULES, operating_float=9_000_001 - FEE), 0),
        (replace(RULES, amount_max=1_500_000), 1_500_000),
        (replace(RULES, day_max=2_500_000), 2_500_000),
    ],
)
def test_what_exceeds_the_float_is_paid_within_the_limits(rules: PayoutRules, amount: int) -> None:
    made = plan(paying(rules=rules))
    assert [m.amount for m in payouts(made)] == ([amount] if amount else [])
    assert not [h for h in made.holds if "payout" in h.message]


@pytest.mark.parametrize(
    ("ago", "paid", "rules", "sent"),
    [
        (DAY - 1, 1, RULES, 0),
        (DAY, 1, RULES, 1),
        (3_600, 1, replace(RULES, every_seconds=3_600), 1),
        (6 * DAY, 1, replace(RULES, every_seconds=7 * DAY), 0),
    ],
)
def test_payouts_follow_the_schedule(ago: int, paid: int, rules: PayoutRules, sent: int) -> None:
    memory = makers.remembered(payouts=(Payout("T", makers.NOW - ago, paid),))
    assert len(payouts(plan(paying(memory, rules)))) == sent


def test_the_day_s_payouts_stay_within_its_limit() -> None:
    rules = replace(RULES, every_seconds=3_600, day_max=5_000_000)
    earlier = tuple(Payout(f"T{h}", makers.NOW - h * 3_600, 2_000_000) for h in (30, 20, 10))
    [sent] = payouts(plan(paying(makers.remembered(payouts=earlier), rules)))
    assert sent.amount == 1_000_000
    full = (*earlier, Payout("T", makers.NOW - 3_600, 1_000_000))
    made = plan(paying(makers.remembered(payouts=full), rules))
    [hold] = [h for h in made.holds if h.reason is Reason.CEILING]
    assert "0uve are left of the host file's payout.day_max (5000000uve)" in hold.message
    assert not payouts(made)


def signed(sequence: int = 7) -> Intent:
    return intent(PAID, sequence=sequence)


@pytest.mark.parametrize("outcome", [IntentOutcome.LANDED, IntentOutcome.EXPIRED])
def test_a_payout_that_may_be_in_a_block_is_made_once(outcome: IntentOutcome) -> None:
    """Also where the node that hides it shows the balance from before."""
    end = Confirmation(signed(), outcome, makers.HEIGHT, makers.NOW)
    given = paying(wallet=Wallet(makers.US, 4, 8, 10_000_000))
    made = plan(replace(given, confirmations=(end,)))
    assert [p.tx for p in made.memory.payouts] == [end.intent.hash]
    assert not payouts(made)
    assert not payouts(plan(replace(given, memory=made.memory)))


def test_a_payout_that_provably_expired_is_made_again() -> None:
    end = Confirmation(signed(), IntentOutcome.EXPIRED, makers.HEIGHT, makers.NOW)
    assert payouts(plan(replace(paying(), confirmations=(end,)))) == [PAID]


@pytest.mark.parametrize("blocks_behind", [1, 100], ids=["confirmed too", "restored from before it"])
def test_a_payout_is_recognized_by_its_transfer(blocks_behind: int) -> None:
    """A restored journal reads the block again; the transaction counts as a foreign one, not as none."""
    sent = signed()
    transfer = Transfer(makers.HEIGHT, sent.hash, makers.US, makers.ALICE, PAID.amount)
    fee = Transfer(makers.HEIGHT, sent.hash, makers.US, COLLECTOR, sent.fee)
    left = 10_000_000 - PAID.amount - sent.fee
    given = paying(
        makers.remembered(height=makers.HEIGHT - blocks_behind),
        wallet=Wallet(makers.US, 4, 8, left),
        transfers=(fee, transfer),
        signed=(SignedTransaction(sent.hash, makers.HEIGHT, 7),),
    )
    end = Confirmation(sent, IntentOutcome.LANDED, makers.HEIGHT, makers.NOW)
    made = plan(replace(given, confirmations=(end,)) if blocks_behind == 1 else given)
    assert [(p.tx, p.amount) for p in made.memory.payouts] == [(sent.hash, PAID.amount)]
    assert made.memory.ledger is not None
    assert made.memory.ledger.paid_out == PAID.amount
    entries = {e.kind: e.amount for e in made.entries}
    assert entries == {EntryKind.FEE: -sent.fee, EntryKind.PAYOUT: -PAID.amount}
    refilled = makers.market(height=makers.HEIGHT + 1, wallet=Wallet(makers.US, 4, 8, 20_000_000))
    assert not payouts(plan(makers.planning_input(refilled, memory=made.memory, limits=given.limits)))


COLLECTOR = "ve17xpfvakm2amg962yls6f84z3kell8c5lvyc5y4"


@pytest.mark.parametrize(
    "memory",
    [Memory(), makers.remembered(sequence=5)],
    ids=["a lost journal", "one older than the chain"],
)
def test_a_journal_that_may_not_know_a_payout_waits_until_no_limit_counts_it(memory: Memory) -> None:
    made = plan(paying(memory))
    assert not payouts(made)
    [hold] = [h for h in made.holds if "earlier payouts" in h.message]
    assert hold.reason is Reason.JOURNAL_NEW
    for seconds, sent in ((DAY - 1, 0), (DAY, 1)):
        later = paying(made.memory, height=makers.HEIGHT + seconds, time=makers.NOW + seconds)
        assert len(payouts(plan(later))) == sent


def test_a_fresh_account_has_no_unknown_payouts() -> None:
    made = plan(paying(Memory(), wallet=Wallet(makers.US, 4, 0, 10_000_000)))
    assert payouts(made) == [PAID]


def held(made: Plan) -> list[Hold]:
    return [h for h in made.holds if not h.subject.name]


def test_a_payout_to_itself_is_never_made() -> None:
    made = plan(paying(rules=replace(RULES, address=makers.US)))
    assert not payouts(made)
    assert ["own account" in h.message for h in held(made)] == [True]


def test_a_refused_payout_waits_until_the_address_changes() -> None:
    refused = Retry(1, None, "ChainRefused", "it is not allowed to receive funds")
    memory = makers.remembered(retries={effect_key(PAID): refused})
    made = plan(paying(memory))
    assert not payouts(made)
    assert [h.message for h in held(made)] == ["it is not allowed to receive funds"]
    assert len(payouts(plan(paying(memory, replace(RULES, address="ve1bob"))))) == 1


def test_a_payout_shares_no_transaction() -> None:
    """A gate may refuse it, and with it the whole transaction (semantics 1.5)."""
    made = plan(paying())
    [action] = [a for a in made.actions if isinstance(a, SendTransaction)]
    assert [type(m) for m in action.messages] == [PayOut]
    assert action.terms.fees_max == (PAID.amount * 2 // 100,)


@pytest.mark.parametrize("last", ["", "market"])
def test_a_bid_does_not_wait_for_a_payout(last: str) -> None:
    made = plan(paying(makers.remembered(last_batch=last), orders=[makers.order(5)]))
    sent = [m for a in made.actions if isinstance(a, SendTransaction) for m in a.messages]
    assert [type(m) for m in sent] == [CreateBid]


@pytest.mark.parametrize(("amount", "is_held"), [(50 * FEE, False), (50 * FEE - 1, True)])
def test_a_payout_that_its_fee_makes_too_dear_waits_with_the_figures(amount: int, is_held: bool) -> None:
    """It was proposed, and refused while it was prepared, in each cycle."""
    rules = replace(RULES, operating_float=10_000_000 - FEE - amount, amount_min=1)
    made = plan(paying(rules=rules))
    assert [m.amount for m in payouts(made)] == ([] if is_held else [amount])
    why = [h.message for h in made.holds if h.reason is Reason.NOT_WORTH_ITS_FEE]
    assert len(why) == is_held
    assert all(f"its fee of {FEE}uve is more than 2 % of the {amount}uve" in each for each in why)


def test_a_gap_that_is_read_days_later_counts_no_payout_again() -> None:
    gap = LedgerGap(900, 990, 0, 0)
    own = tuple(Transfer(950, f"T{n}", makers.US, makers.ALICE, 1_000_000) for n in range(3))
    memory = makers.remembered(ledger=WalletLedger(started_with=10_000_000, balance=10_000_000, gaps=(gap,)))
    for n in range(3):
        memory = with_payout(memory, Payout(f"T{n}", makers.NOW - 9 * DAY + n * 2 * DAY, 1_000_000))
    found = plan(paying(memory, rules=RULES, gap_transfers={(900, 990): own})).memory
    assert found.ledger is not None
    assert found.ledger.paid_out == 3_000_000
