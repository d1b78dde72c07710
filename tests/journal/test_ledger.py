"""The ledger table: entries of blocks that are disproved are booked once when these are read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reconciler.journal.opening import open_journal, open_records
from reconciler.values.ledger import EntryKind, LedgerEntry
from tests.journal.facts import LEASE, NOON, plan

OPENING = LedgerEntry(10, NOON, EntryKind.OPENING, 1_000)
FEE = LedgerEntry(11, NOON + 5, EntryKind.FEE, -30, "AB", LEASE)
INCOME = LedgerEntry(14, NOON + 20, EntryKind.LEASE, 500, "CD", LEASE)


def test_a_lower_height_deletes_what_it_disproves(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    empty = plan()
    for height, entries in ((10, (OPENING,)), (14, (FEE, INCOME)), (12, ()), (15, (INCOME,))):
        memory = replace(empty.memory, height=height)
        opened.journal.remember(replace(empty, memory=memory, entries=entries), NOON)
    booked = open_records(tmp_path).ledger()
    assert [each.entry for each in booked] == [OPENING, FEE, INCOME]
    assert [each.balance for each in booked] == [1_000, 970, 1_470]
    page = opened.records.ledger_after(0)
    assert page.entries == (OPENING, FEE, INCOME)
    assert page.deletions == 1
    assert opened.records.ledger_after(page.last_row) == replace(page, entries=())
    assert opened.records.ledger_after(page.last_row - 1).entries == (INCOME,)


def test_the_opening_balance_stays(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    empty = plan()
    for height, entries in ((10, (OPENING,)), (4, ())):
        memory = replace(empty.memory, height=height)
        opened.journal.remember(replace(empty, memory=memory, entries=entries), NOON)
    assert [each.entry for each in open_records(tmp_path).ledger()] == [OPENING]
