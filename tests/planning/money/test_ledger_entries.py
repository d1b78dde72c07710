"""Entries of the wallet's ledger in the cases that a simulated run does not reach."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.planning.money.ledger import FEE_COLLECTOR
from reconciler.planning.money.ledger_entries import ledger_entries
from reconciler.planning.planner import plan
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.ledger import EntryKind, LedgerEntry
from reconciler.values.memory import LedgerGap, Memory, WalletLedger
from reconciler.values.messages import WithdrawLease
from reconciler.values.observed import Market, Transfer
from tests import makers
from tests.cycle.worlds import intent

ESCROW = "ve14pphss726thpwws3yc458hggufynm9x70ervuw"
DISTRIBUTION = "ve1jv65s3grqf6v6jl3dp4t6c9t9rk99cd8mzlgxh"
BEFORE = 1_000_000
KNOWN = makers.HEIGHT - 10


def memory(**changes: Any) -> Memory:
    ledger = replace(WalletLedger(balance=BEFORE), **changes)
    return makers.remembered(ledger=ledger, height=KNOWN, height_time=makers.NOW - 50)


def seen(balance: int, *transfers: Transfer, **changes: Any) -> Market:
    market = makers.market(**{"transfers": transfers, **changes})
    return replace(market, wallet=replace(market.wallet, balance=balance))


def paid(amount: int, height: int = KNOWN + 5, tx: str = "AB", other: str = FEE_COLLECTOR) -> Transfer:
    return Transfer(height, tx, makers.US, other, amount)


def received(amount: int, height: int = KNOWN + 5, other: str = ESCROW) -> Transfer:
    return Transfer(height, "CD", other, makers.US, amount)


def amounts(entries: tuple[LedgerEntry, ...]) -> list[tuple[EntryKind, int]]:
    return [(entry.kind, entry.amount) for entry in entries]


def test_a_new_ledger_begins_with_the_balance() -> None:
    found = ledger_entries(replace(memory(), ledger=None), seen(7))
    assert amounts(found) == [(EntryKind.OPENING, 7)]


def test_only_transfers_above_the_booked_height_are_entries() -> None:
    found = ledger_entries(memory(), seen(BEFORE - 30, paid(10, KNOWN), paid(30, KNOWN + 1)))
    assert amounts(found) == [(EntryKind.FEE, -30)]


def test_only_the_escrow_module_pays_for_leases() -> None:
    received_from = (
        received(1, other=ESCROW),
        received(2, other=DISTRIBUTION),
        received(4, other=FEE_COLLECTOR),
    )
    found = ledger_entries(memory(), seen(BEFORE + 7, *received_from))
    assert amounts(found) == [(EntryKind.LEASE, 1), (EntryKind.EXTERNAL, 2), (EntryKind.FEE, 4)]


def test_what_no_transfer_explains_is_unexplained() -> None:
    found = ledger_entries(memory(), seen(BEFORE + 100, received(60)))
    assert amounts(found) == [(EntryKind.LEASE, 60), (EntryKind.UNEXPLAINED, 40)]


def test_a_gap_is_unexplained_until_its_transfers_are_found() -> None:
    gap = ledger_entries(memory(), seen(BEFORE + 100, transfers=None))
    assert amounts(gap) == [(EntryKind.UNEXPLAINED, 100)]
    closing = memory(gaps=(LedgerGap(KNOWN - 600, KNOWN, 100, 100),))
    found = (received(130, KNOWN - 3), paid(30, KNOWN - 2), received(5, KNOWN - 1, "ve1somebody"))
    later = ledger_entries(closing, seen(BEFORE, gap_transfers={(KNOWN - 600, KNOWN): found}))
    assert amounts(later) == [
        *((EntryKind.LEASE, 130), (EntryKind.FEE, -30), (EntryKind.EXTERNAL, 5)),
        (EntryKind.UNEXPLAINED, -105),
    ]


def test_a_transfer_to_ourselves_is_no_entry() -> None:
    assert ledger_entries(memory(), seen(BEFORE, Transfer(KNOWN + 1, "AB", makers.US, makers.US, 50))) == ()


def test_times_of_blocks_between_are_interpolated() -> None:
    transfers = (received(1, KNOWN + 1), received(2, KNOWN + 10), received(4, KNOWN + 5))
    found = ledger_entries(memory(), seen(BEFORE + 7, *transfers))
    assert [each.at - makers.NOW for each in found] == [-45, -25, 0]


def test_the_fee_of_a_transaction_about_one_lease_is_that_leases() -> None:
    lease = makers.lease_id(1)
    one = replace(intent(), hash="AB", messages=(WithdrawLease(lease),))
    two = replace(one, hash="EF", messages=(WithdrawLease(lease), WithdrawLease(makers.lease_id(2))))
    ended = [Confirmation(each, IntentOutcome.LANDED, KNOWN + 5) for each in (one, two)]
    fees = (paid(10), paid(20, tx="EF"), paid(30, tx="OTHER"))
    found = ledger_entries(memory(), seen(BEFORE - 60, *fees), ended)
    assert [each.lease for each in found] == [lease, None, None]


def test_a_plan_carries_the_entries_and_its_memory_the_balance() -> None:
    inputs = makers.planning_input(seen(BEFORE - 30, paid(30)), memory=memory())
    made = plan(inputs)
    assert amounts(made.entries) == [(EntryKind.FEE, -30)]
    again = plan(replace(inputs, memory=made.memory))
    assert again.entries == ()


def test_a_lower_height_has_no_entries() -> None:
    assert ledger_entries(memory(), seen(BEFORE - 30, height=KNOWN - 5)) == ()
    assert ledger_entries(memory(), seen(BEFORE - 30, transfers=None, height=KNOWN - 5)) == ()
