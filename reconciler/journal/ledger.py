"""The ledger table: each change of the wallet's balance, with the revision in force."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.journal.database import Database, Row
from reconciler.journal.errors import JournalBrokenError
from reconciler.journal.intents import add_total
from reconciler.values.ids import DeploymentId, LeaseId
from reconciler.values.ledger import BookedEntry, EntryKind, LedgerEntry, LedgerPage

DELETIONS = "ledger deletions"
"""The total of how often entries were deleted."""

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
    add_total(database, DELETIONS, 1)


def booked_entries(database: Database) -> tuple[BookedEntry, ...]:
    """All entries as they were booked, each with the balance after it."""
    booked, balance = [], 0
    for row in database.rows(f"SELECT {_COLUMNS} FROM ledger ORDER BY id"):  # noqa: S608 - constants
        entry = _entry(database, row)
        balance = entry.amount if entry.kind is EntryKind.OPENING else balance + entry.amount
        booked.append(BookedEntry(entry, balance, row[-1]))
    return tuple(booked)


def entries_after(database: Database, row: int) -> LedgerPage:
    """The entries that were booked after this row (0: all)."""
    deletions = database.rows("SELECT amount FROM totals WHERE name = ?", (DELETIONS,))
    rows = database.rows(
        f"SELECT {_COLUMNS}, id FROM ledger WHERE id > ? ORDER BY id",  # noqa: S608 - constants
        (row,),
    )
    return LedgerPage(
        tuple(_entry(database, each[:-1]) for each in rows),
        rows[-1][-1] if rows else row,
        deletions[0][0] if deletions else 0,
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
