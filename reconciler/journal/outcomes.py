"""The outcomes table: what came of effects, until a remembered plan has taken it into account."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.documents.codec import CodecError, dumps, loads
from reconciler.journal.database import Database
from reconciler.journal.faults import JournalBroken
from reconciler.values.records import EffectResult


def keep(database: Database, outcomes: Sequence[EffectResult]) -> None:
    """Add outcomes, within the caller's transaction."""
    database.execute_all(
        "INSERT INTO outcomes (content) VALUES (?)", [(dumps(EffectResult, each),) for each in outcomes]
    )


def waiting(database: Database) -> tuple[tuple[EffectResult, ...], int]:
    """Those that wait for a plan, oldest first, and the id of the last (0 for none)."""
    rows = database.rows("SELECT id, content FROM outcomes ORDER BY id")
    try:
        found = tuple(loads(EffectResult, content) for _, content in rows)
    except CodecError as error:
        raise JournalBroken(database.path, error) from error
    return found, rows[-1][0] if rows else 0


def forget(database: Database, last: int) -> None:
    """Drop those up to an id, within the caller's transaction."""
    database.execute("DELETE FROM outcomes WHERE id <= ?", (last,))
