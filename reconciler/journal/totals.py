"""The totals table: monotonic counts."""

from __future__ import annotations

from reconciler.journal.database import Database
from reconciler.values.intents import IntentOutcome
from reconciler.values.records import Totals

ENDED = "ended_"
"""Before the outcome, the name of a total of transactions."""


def add(database: Database, name: str, amount: int) -> None:
    """Raise a total, within the caller's transaction."""
    database.execute(
        "INSERT INTO totals (name, amount) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET amount = amount + excluded.amount",
        (name, amount),
    )


def totals(database: Database) -> Totals:
    """Totals since the journal began."""
    found: dict[str, int] = dict(database.rows("SELECT name, amount FROM totals"))
    ended = {outcome: found.get(ENDED + outcome.value, 0) for outcome in IntentOutcome}
    return Totals(found.get("bids_placed", 0), found.get("bids_won", 0), ended)
