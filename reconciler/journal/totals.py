"""The totals table: counts that only rise."""

from __future__ import annotations

from reconciler.journal.database import Database
from reconciler.values.records import Totals


def add(database: Database, name: str, amount: int) -> None:
    """Raise a total, within the caller's transaction."""
    database.execute(
        "INSERT INTO totals (name, amount) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET amount = amount + excluded.amount",
        (name, amount),
    )


def totals(database: Database) -> Totals:
    """What was counted since the journal began."""
    found: dict[str, int] = dict(database.rows("SELECT name, amount FROM totals"))
    return Totals(found.get("bids_placed", 0), found.get("bids_won", 0))
