"""The `ledger` command, which reads the journal."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

from reconciler.values.ledger import EntryKind, LedgerEntry
from reconciler.values.times import DAY_SECONDS, utc_text
from tests.cli.conftest import Terminal
from tests.journal.facts import LEASE, NOON, plan

OTHER = replace(LEASE, order=replace(LEASE.order, owner="ve1other"))
ENTRIES = (
    LedgerEntry(10, NOON, EntryKind.OPENING, 5_000_000),
    LedgerEntry(11, NOON + 5, EntryKind.FEE, -2_500, "F1" * 32, LEASE, counterparty="ve1fees"),
    LedgerEntry(11, NOON + 5, EntryKind.DEPOSIT, -500_000, "F1" * 32, LEASE, counterparty="ve1escrow"),
    LedgerEntry(40, NOON + 150, EntryKind.LEASE, 9_800, "F2" * 32, LEASE, counterparty="ve1escrow"),
    LedgerEntry(41, NOON + DAY_SECONDS, EntryKind.USAGE, 940, "F3" * 32, OTHER, counterparty="ve1settle"),
    LedgerEntry(42, NOON + DAY_SECONDS, EntryKind.EXTERNAL, 70, "F4" * 32, counterparty="=cmd|' /c calc'!A0"),
)


def book(terminal: Terminal) -> None:
    terminal.journal.journal.remember(replace(plan(), entries=ENTRIES), NOON)
    terminal.servers.stop()


def test_entries_have_transaction_commit_and_running_balance(terminal: Terminal) -> None:
    book(terminal)
    code, out, _ = terminal.run("ledger")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split()[:5] == ["TIME", "HEIGHT", "KIND", "AMOUNT", "BALANCE"]
    assert lines[3].split() == [
        *(utc_text(NOON + 150), "40", "lease", "9800", "4507300", str(LEASE), "F2F2F2F2F2F2"),
        plan().revision[:12],
    ]
    assert "balance before            5,000,000uve" in out
    assert "balance after             4,508,310uve" in out
    assert "earned                        8,240uve" in out


def test_sums_by_lease_tenant_and_day(terminal: Terminal) -> None:
    book(terminal)
    by_tenant = json.loads(terminal.run("ledger", "--by", "tenant", "--format", "json")[1])
    assert [(row["key"], row["earned_uve"], row["external_uve"]) for row in by_tenant["sums"]] == [
        ("", 0, 70),
        (LEASE.order.owner, 7_300, 0),
        ("ve1other", 940, 0),
    ]
    by_day = terminal.run("ledger", "--by", "day")[1].splitlines()
    assert [line.split()[:5] for line in by_day[1:3]] == [
        [utc_text(NOON)[:10], "9800", "0", "-2500", "7300"],
        [utc_text(NOON + DAY_SECONDS)[:10], "0", "940", "0", "940"],
    ]
    assert terminal.run("ledger", "--by", "lease", "--format", "csv")[1].count("\n") == 4


def test_csv_is_read_back_and_holds_no_formula(terminal: Terminal) -> None:
    book(terminal)
    out = terminal.run("ledger", "--format", "csv")[1]
    rows = list(csv.DictReader(out.splitlines()))
    assert sum(int(row["amount_uve"]) for row in rows) == 4_508_310 - 5_000_000
    assert rows[-1]["counterparty"].startswith("'=")


def test_a_time_selects_entries_and_keeps_the_balances(terminal: Terminal) -> None:
    book(terminal)
    later = json.loads(
        terminal.run(
            "ledger", "--since", utc_text(NOON + 100), "--until", utc_text(NOON + 200), "--format", "json"
        )[1]
    )
    assert (later["opening_uve"], later["balance_uve"], len(later["entries"])) == (4_497_500, 4_507_300, 1)
    none = json.loads(terminal.run("ledger", "--until", utc_text(NOON), "--format", "json")[1])
    assert (none["entries"], none["balance_uve"]) == ([], 0)
    assert terminal.run("ledger", "--until", "whenever")[0] == 64


def test_an_empty_ledger_says_so_in_its_totals(terminal: Terminal) -> None:
    terminal.journal.journal.remember(plan(), NOON)
    code, out, _ = terminal.run("ledger")
    assert (code, out.splitlines()[-2].split()) == (0, ["balance", "after", "0uve"])
