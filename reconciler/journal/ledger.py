"""The ledger table: each change of the wallet's balance, with the revision in force."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.journal.database import Database, Row
from reconciler.journal.errors import JournalBrokenError
from reconciler.values.ids import DeploymentId, LeaseId
from reconciler.values.ledger import BookedEntry, EntryKind, LedgerEntry, MonthSum

_COLUMNS = "height, at, kind, amount, tx, lease, deployment, counterparty, revision"


def append_entries(database: Database, entries: Sequence[LedgerEntry], revision: str) -> None:
    """Add entries, within the caller's transaction."""
    rows = [
        (
            *(each.height, each.at, each.kind.value, each.amount, each.tx),
            *(str(each.lease or ""), str(each.deployment or ""), each.counterparty, revision),
        )
        for each in entries
    ]
    database.execute_all(
        f"INSERT INTO ledger ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constants
        rows,
    )


def delete_entries_after(database: Database, height: int) -> None:
    """Delete the entries of blocks that a lower height of the chain disproves, within the caller's
    transaction.
    """
    database.execute("DELETE FROM ledger WHERE height > ? AND kind != ?", (height, EntryKind.OPENING.value))


def booked_entries(database: Database) -> tuple[BookedEntry, ...]:
    """All entries as they were booked, each with the balance after it."""
    booked, balance = [], 0
    for row in database.rows(f"SELECT {_COLUMNS} FROM ledger ORDER BY id"):  # noqa: S608 - constants
        entry = _entry(database, row)
        balance = entry.amount if entry.kind is EntryKind.OPENING else balance + entry.amount
        booked.append(BookedEntry(entry, balance, row[-1]))
    return tuple(booked)


def sums_by_month(database: Database, until: int) -> tuple[MonthSum, ...]:
    """The sums of the entries before `until` (unix seconds), by month in UTC, kind, lease and deployment."""
    rows = database.rows(
        "SELECT strftime('%Y-%m', at, 'unixepoch'), kind, sum(amount), lease, deployment FROM ledger "
        "WHERE at < ? GROUP BY 1, kind, lease, deployment ORDER BY 1, kind, lease, deployment",
        (until,),
    )
    return tuple(
        MonthSum(month, _entry(database, (0, 0, kind, amount, "", lease, deployment, "", "")))
        for month, kind, amount, lease, deployment in rows
    )


def _entry(database: Database, row: Row) -> LedgerEntry:
    height, at, kind, amount, tx, lease, deployment, counterparty, _ = row
    try:
        return LedgerEntry(
            height=height,
            at=at,
            kind=EntryKind(kind),
            amount=amount,
            tx=tx,
            lease=LeaseId.parse(lease) if lease else None,
            deployment=DeploymentId.parse(deployment) if deployment else None,
            counterparty=counterparty,
        )
    except ValueError as error:
        raise JournalBrokenError(database.path, error) from error
