"""The ledger: false heights do not last, gaps are never earned, foreign transactions are named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.planning.money.ledger import earnings
from reconciler.planning.planner import plan
from reconciler.values.ids import workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import LedgerGap, Memory, WalletLedger, WorkloadMemory
from reconciler.values.observed import Market, SignedTransaction, State, Transfer, Wallet
from reconciler.values.plans import Reason, Rebroadcast
from reconciler.values.result_cache import ResultCache
from tests import makers
from tests.cycle.worlds import intent

ABSURD = 10**15
ESCROW = "ve14pphss726thpwws3yc458hggufynm9x70ervuw"
DISTRIBUTION = "ve1jv65s3grqf6v6jl3dp4t6c9t9rk99cd8mzlgxh"


@pytest.mark.parametrize("remembered", [ABSURD, makers.HEIGHT + 200, makers.HEIGHT - 200])
def test_the_height_remembered_follows_the_height_seen_in_both_directions(remembered: int) -> None:
    inputs = makers.planning_input(memory=makers.remembered(height=remembered))
    memory = plan(inputs).memory
    assert (memory.height, memory.height_time) == (makers.HEIGHT, makers.NOW)


def test_a_quiet_world_writes_no_height() -> None:
    inputs = makers.planning_input(memory=makers.remembered(height=makers.HEIGHT - 1))
    assert plan(inputs).memory.height == makers.HEIGHT - 1


def test_spending_is_not_held_until_a_height_that_was_false() -> None:
    inputs = makers.planning_input(memory=makers.remembered(hold_until_height=ABSURD))
    most = makers.HEIGHT + inputs.limits.timeout_blocks
    assert plan(inputs).memory.hold_until_height == most


def test_a_closing_seen_at_a_false_height_is_seen_anew() -> None:
    lease = replace(makers.lease(), state=State.CLOSED)
    memory = WorkloadMemory(lease.id, "kubernetes", Phase.RUNNING, closed_first=ABSURD)
    subject = workload_id(lease.id)
    for height, again in ((makers.HEIGHT, 0), (makers.HEIGHT + 1, makers.HEIGHT + 1)):
        market = makers.market(leases=[lease], height=height)
        inputs = makers.planning_input(market, memory=makers.remembered(workloads={subject: memory}))
        memory = plan(inputs).memory.workloads[subject]
        assert (memory.closed_first, memory.closed_again) == (makers.HEIGHT, again)


def test_a_transaction_signed_at_a_false_height_is_sent_again_until_it_lands() -> None:
    signed = replace(intent(), signed_at_height=ABSURD, timeout_height=ABSURD + 20)
    made = plan(makers.planning_input(intents=(signed,)))
    assert Rebroadcast(signed.hash) in made.actions


def signed(sequence: int, name: str = "F0" * 32) -> SignedTransaction:
    return SignedTransaction(name, makers.HEIGHT, sequence)


def wallet(**changes: Any) -> Wallet:
    return replace(makers.market().wallet, **changes)


def test_the_sequence_follows_foreign_transactions_that_were_seen() -> None:
    seen = makers.market(wallet=wallet(sequence=9), signed=(signed(8), signed(7)))
    made = plan(makers.planning_input(seen))
    assert (made.memory.sequence, made.memory.hold_until_height) == (9, 0)
    assert [each.sequence for each in made.memory.foreign] == [7, 8]
    later = replace(seen, signed=(), time=makers.NOW + 86_400)
    again = plan(makers.planning_input(later, memory=made.memory))
    assert (again.memory.foreign, again.memory.foreign_total) == ((), 2)


def test_a_sequence_that_no_seen_transaction_used_holds_spending() -> None:
    seen = makers.market(wallet=wallet(sequence=9), signed=(signed(8),))
    made = plan(makers.planning_input(seen))
    assert made.memory.hold_until_height == makers.HEIGHT + 20


def test_our_own_transaction_is_not_foreign() -> None:
    ours = intent()
    seen = makers.market(wallet=wallet(sequence=8), signed=(signed(7, ours.hash),))
    assert plan(makers.planning_input(seen, intents=(ours,))).memory.foreign_total == 0


def transfer(amount: int, sender: str = makers.ALICE) -> Transfer:
    return Transfer(makers.HEIGHT, "T", sender, makers.US, amount)


def earned(seen: Market, memory: Memory) -> tuple[int, int, int]:
    """What is shown as earned, as unexplained, and the external transfers."""
    made = plan(makers.planning_input(seen, memory=memory))
    assert made.memory.ledger is not None
    ledger = made.memory.ledger
    return earnings(seen, ledger, ResultCache()).earned, ledger.unexplained, ledger.outside


BEFORE = makers.remembered(height=makers.HEIGHT - 600)


@pytest.mark.parametrize("change", [70_000, -70_000])
def test_a_gap_in_the_transfers_is_unexplained_and_never_earned(change: int) -> None:
    """Whatever came from outside or was paid in it."""
    seen = makers.market(wallet=wallet(balance=10_000_000 + change), transfers=None)
    assert earned(seen, BEFORE) == (0, change, 0)
    made = plan(makers.planning_input(seen, memory=BEFORE))
    [hold] = [h for h in made.holds if h.reason is Reason.LEDGER_GAP]
    assert f"blocks {makers.HEIGHT - 599} to {makers.HEIGHT}" in hold.message


def test_a_lower_height_leaves_no_gap() -> None:
    """A node that disproves the height seen before; the blocks between are read again."""
    seen = makers.market(wallet=wallet(balance=10_003_000), transfers=None)
    memory = plan(makers.planning_input(seen, memory=makers.remembered(height=makers.HEIGHT + 50))).memory
    assert memory.ledger is not None
    assert (memory.ledger.gaps, memory.ledger.unexplained, memory.height) == ((), 0, makers.HEIGHT)


def test_what_is_booked_of_blocks_that_a_lower_height_disproves_is_taken_back() -> None:
    """Each transfer is external once, although its block is read twice; so is what is unexplained."""
    now, later = makers.HEIGHT, makers.HEIGHT + 30
    gift = replace(transfer(70_000), height=later)
    true = makers.market(wallet=wallet(balance=10_072_000), transfers=(gift,), height=later)
    lower = makers.market(wallet=wallet(balance=10_000_000), transfers=None, height=now)
    memory = makers.remembered(height=now - 1)
    for shown, booked in ((true, (2_000, 70_000)), (lower, (0, 0)), (true, (2_000, 70_000))):
        assert earned(shown, memory) == (0, *booked)
        memory = plan(makers.planning_input(shown, memory=memory)).memory
    unread = replace(true, transfers=None, height=later + 600, wallet=wallet(balance=10_080_000))
    after = plan(makers.planning_input(unread, memory=memory)).memory
    assert after.ledger is not None
    assert len(after.ledger.gaps) == 1
    assert earned(true, after) == (0, 2_000, 70_000)
    back = plan(makers.planning_input(true, memory=after)).memory
    assert back.ledger is not None
    assert back.ledger.gaps == ()


def test_deposits_that_were_locked_in_a_gap_are_no_earnings() -> None:
    locked = makers.bid()
    seen = makers.market(bids=[locked], wallet=wallet(balance=9_497_000), transfers=None)
    assert earned(seen, BEFORE) == (0, -3_000, 0)


def test_a_gap_is_closed_by_the_accounts_transactions() -> None:
    seen = makers.market(wallet=wallet(balance=10_070_000), transfers=None)
    memory = plan(makers.planning_input(seen, memory=BEFORE)).memory
    span = (makers.HEIGHT - 599, makers.HEIGHT)
    found = (transfer(50_000), transfer(20_000, ESCROW))
    closing = replace(seen, height=makers.HEIGHT + 1, transfers=(), gap_transfers={span: found})
    assert earned(closing, memory) == (20_000, 0, 50_000)
    assert not [
        h for h in plan(makers.planning_input(closing, memory=memory)).holds if h.reason is Reason.LEDGER_GAP
    ]
    partly = replace(closing, gap_transfers={span: found[:1]})
    assert earned(partly, memory) == (0, 20_000, 50_000)


def test_a_gap_with_too_many_transactions_is_closed_in_steps() -> None:
    """The same sums as at once; what is left is a shorter gap."""
    seen = makers.market(wallet=wallet(balance=10_070_000), transfers=None)
    memory = plan(makers.planning_input(seen, memory=BEFORE)).memory
    first, last = makers.HEIGHT - 599, makers.HEIGHT
    step = replace(
        seen, height=last + 1, transfers=(), gap_transfers={(first, last - 9): (transfer(50_000),)}
    )
    assert earned(step, memory) == (0, 20_000, 50_000)
    half = plan(makers.planning_input(step, memory=memory)).memory
    assert half.ledger is not None
    assert half.ledger.gaps == (LedgerGap(last - 8, last, 20_000, 20_000),)
    rest = replace(step, height=last + 2, gap_transfers={(last - 8, last): (transfer(20_000, ESCROW),)})
    assert earned(rest, half) == (20_000, 0, 50_000)
    done = plan(makers.planning_input(rest, memory=half)).memory.ledger
    assert done is not None
    assert not done.gaps


def test_staking_rewards_are_not_earned() -> None:
    """The distribution module pays them; it pays no lease."""
    seen = makers.market(wallet=wallet(balance=10_070_000), transfers=(transfer(70_000, DISTRIBUTION),))
    assert earned(seen, makers.remembered(height=makers.HEIGHT - 1)) == (0, 0, 70_000)


def test_transfers_that_do_not_sum_up_to_the_balance_leave_the_rest_unexplained() -> None:
    """The index of transactions has no transfers of the ends of blocks."""
    seen = makers.market(wallet=wallet(balance=10_070_000), transfers=(transfer(50_000),))
    assert earned(seen, makers.remembered(height=makers.HEIGHT - 1)) == (0, 20_000, 50_000)


def test_a_balance_that_was_never_booked_explains_itself() -> None:
    memory = makers.remembered(ledger=WalletLedger(started_with=10_000_000))
    seen = makers.market(wallet=wallet(balance=10_070_000))
    assert earned(seen, memory) == (70_000, 0, 0)
