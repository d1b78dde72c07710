"""The monthly report: sums of what the journal has, the same bytes each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.cycle.monthly_reports import MonthlyReports
from reconciler.documents.status import status_files
from reconciler.journal.database import Database
from reconciler.journal.ledger import append_entries, delete_entries_after
from reconciler.journal.opening import SqliteRecords
from reconciler.reports.monthly_report import monthly_report
from reconciler.values.ids import LeaseId
from reconciler.values.ledger import EntryKind, LedgerEntry
from reconciler.values.times import parsed_unix_seconds
from reconciler.values.views import PublishedStatus
from tests import makers

FIRST, SECOND = makers.lease_id(1), makers.lease_id(2, "ve1bob")


def entry(day: str, kind: EntryKind, amount: int, lease: LeaseId | None = None) -> LedgerEntry:
    return LedgerEntry(1, parsed_unix_seconds(f"{day}T12:00:00Z"), kind, amount, lease=lease)


ENTRIES = (
    entry("2026-10-30", EntryKind.OPENING, 10_000),
    entry("2026-10-30", EntryKind.DEPOSIT, -500, FIRST),
    entry("2026-11-01", EntryKind.FEE, -30),
    entry("2026-11-02", EntryKind.LEASE, 900, FIRST),
    entry("2026-11-03", EntryKind.LEASE, 600, FIRST),
    entry("2026-11-03", EntryKind.USAGE, 70, SECOND),
    entry("2026-11-03", EntryKind.PAYOUT, -4_000),
)

NOVEMBER = """# Ledger of 2026-11 so far

All amounts in uve. The balance before and the sums that follow it are the balance after.

|  | uve |
| --- | --- |
| balance before | 9500 |
| leases paid | 1500 |
| usage settled | 70 |
| fees | -30 |
| deposits of bids | 0 |
| payouts | -4000 |
| external | 0 |
| unexplained | 0 |
| balance after | 7040 |

Earned, which is leases and usage less fees: 1540uve.

## By tenant

| tenant | leases | usage | fees | earned | deposits | payouts | external | unexplained |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
| of none | 0 | 0 | -30 | -30 | 0 | -4000 | 0 | 0 |
| `ve1alice` | 1500 | 0 | 0 | 1500 | 0 | 0 | 0 | 0 |
| `ve1bob` | 0 | 70 | 0 | 70 | 0 | 0 | 0 | 0 |

## By lease
"""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "journal.sqlite")
    yield database
    database.close()


def test_the_report_has_the_sums_of_the_days_that_are_over(journal: Database) -> None:
    reports = MonthlyReports(SqliteRecords(journal))
    append_entries(journal, ENTRIES, "c" * 40)
    found = reports.at(parsed_unix_seconds("2026-11-04T00:00:05Z"))
    assert list(found) == ["reports/2026-10.md", "reports/2026-11.md"]
    assert found["reports/2026-11.md"].startswith(NOVEMBER)
    assert found["reports/2026-10.md"].startswith("# Ledger of 2026-10\n")
    assert "| balance after | 9500 |" in found["reports/2026-10.md"]
    append_entries(journal, (entry("2026-11-03", EntryKind.LEASE, 5, FIRST),), "")
    assert reports.at(parsed_unix_seconds("2026-11-04T23:59:59Z")) is found
    later = reports.at(parsed_unix_seconds("2026-12-01T00:00:00Z"))
    assert later["reports/2026-11.md"].startswith("# Ledger of 2026-11\n")
    assert later["reports/2026-10.md"] == found["reports/2026-10.md"]
    assert reports.at(parsed_unix_seconds("2026-12-02T00:00:00Z")) is later
    assert MonthlyReports(SqliteRecords(journal)).at(parsed_unix_seconds("2026-12-02T00:00:00Z")) == later


def test_a_day_that_is_not_over_is_in_no_report(journal: Database) -> None:
    append_entries(journal, ENTRIES, "")
    assert not MonthlyReports(SqliteRecords(journal)).at(parsed_unix_seconds("2026-10-30T23:59:59Z"))


def test_a_report_does_not_change_while_nothing_is_booked(journal: Database) -> None:
    reports = MonthlyReports(SqliteRecords(journal))
    append_entries(journal, ENTRIES, "")
    found = reports.at(parsed_unix_seconds("2026-11-04T00:00:05Z"))
    assert reports.at(parsed_unix_seconds("2026-11-30T00:00:05Z")) is found


@pytest.mark.parametrize("deleted_after", [None, 0])
def test_what_is_found_or_disproved_later_changes_the_months_from_it_on(
    journal: Database, deleted_after: int | None
) -> None:
    """The reports are those of a daemon that reads everything at once."""
    reports = MonthlyReports(SqliteRecords(journal))
    append_entries(journal, ENTRIES, "")
    reports.at(parsed_unix_seconds("2026-12-02T00:00:00Z"))
    if deleted_after is not None:
        delete_entries_after(journal, deleted_after)
    append_entries(journal, (entry("2026-10-31", EntryKind.LEASE, 44, FIRST),), "")
    now = parsed_unix_seconds("2026-12-03T00:00:00Z")
    found = reports.at(now)
    assert found == MonthlyReports(SqliteRecords(journal)).at(now)
    assert ("reports/2026-11.md" in found) == (deleted_after is None)
    assert "| balance after | 9544 |" in found["reports/2026-10.md"] or deleted_after is not None


def test_the_status_branch_has_the_reports_and_links_them() -> None:
    reports = {
        f"reports/2026-{m}.md": monthly_report(f"2026-{m}", ENTRIES[1:2], 0, is_over=True)
        for m in ("09", "10")
    }
    status = replace(PublishedStatus("p", makers.US, "c", ""), reports=reports)
    files = status_files(status)
    assert files["reports/2026-10.md"] == reports["reports/2026-10.md"].encode()
    linked = "## Monthly reports\n\n[2026-10](reports/2026-10.md), [2026-09](reports/2026-09.md)"
    assert linked in files["README.md"].decode()
