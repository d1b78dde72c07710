"""The approvals table: the owner's words, until a remembered plan has heard them."""

from __future__ import annotations

from reconciler.documents.codec import CodecError, dumps, loads
from reconciler.journal.database import Database
from reconciler.journal.faults import JournalBroken
from reconciler.journal.outbox import post
from reconciler.values.approvals import Approval


def keep(database: Database, approval: Approval) -> None:
    """Keep one for the next plan, and to be told, at once."""
    with database.transaction():
        database.execute("INSERT INTO approvals (content) VALUES (?)", (dumps(Approval, approval),))
        post(database, [approval], approval.at)


def unheard(database: Database) -> tuple[tuple[Approval, ...], int]:
    """Those that wait for a plan, oldest first, and the id of the last (0 for none)."""
    rows = database.rows("SELECT id, content FROM approvals ORDER BY id")
    try:
        found = tuple(loads(Approval, content) for _, content in rows)
    except CodecError as error:
        raise JournalBroken(database.path, error) from error
    return found, rows[-1][0] if rows else 0


def forget(database: Database, last: int) -> None:
    """Drop those up to an id, within the caller's transaction."""
    if last:
        database.execute("DELETE FROM approvals WHERE id <= ?", (last,))
