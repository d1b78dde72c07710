"""The intents table: signed transactions, recorded before they are broadcast and kept after they end; and the
totals table: monotonic counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.documents.codec import CodecError, dumps, loads
from reconciler.journal.database import Database, Row
from reconciler.journal.decisions import Decisions, clean
from reconciler.journal.errors import JournalBrokenError
from reconciler.journal.outbox import append_events
from reconciler.journal.pending import RESULTS
from reconciler.values.intents import Confirmation, Intent, IntentOutcome
from reconciler.values.messages import CreateBid
from reconciler.values.records import EffectResult, PastTransaction, Totals

HISTORY_MAX = 100_000
"""Retention of transactions; the oldest ended ones are deleted first."""

ENDED = "ended_"
"""Before the outcome, the name of a total of transactions."""

_END_COLUMNS = "outcome, height, time, code, codespace, log"


class SqliteIntents:
    """`ports.Intents` on the journal's file."""

    def __init__(self, database: Database, decisions: Decisions) -> None:
        self._database = database
        self._decisions = decisions

    def open_intents(self) -> tuple[Intent, ...]:
        rows = self._database.rows("SELECT content FROM intents WHERE outcome IS NULL ORDER BY position")
        return tuple(_intent(self._database, content) for (content,) in rows)

    def record_intent(self, intent: Intent) -> None:
        with self._database.transaction():
            self._insert(intent)

    def record_end(self, confirmation: Confirmation, outcomes: Sequence[EffectResult] = ()) -> None:
        at = max((each.at for each in outcomes), default=0)
        decided = self._decisions.rows_of_results(outcomes)
        with self._database.transaction():
            if not record_end(self._database, confirmation, at):
                return
            RESULTS.add(self._database, outcomes)
            self._decisions.write(decided)
        self._decisions.update_cache(decided, at)

    def _insert(self, intent: Intent) -> None:
        self._database.execute(
            "INSERT INTO intents (hash, content) VALUES (?, ?) ON CONFLICT (hash) DO UPDATE SET "
            "outcome = NULL, height = NULL, time = NULL, code = NULL, codespace = NULL, log = NULL "
            "WHERE outcome != ?",
            (intent.hash, dumps(Intent, intent), IntentOutcome.LANDED.value),
        )


def record_end(database: Database, confirmation: Confirmation, at: int) -> bool:
    """End an intent within the caller's transaction; False if it had ended already. `at` is when the end was
    seen (unix seconds; 0: the time of the block).
    """
    if not _close(database, confirmation):
        return False
    bare = replace(confirmation, intent=replace(confirmation.intent, tx=b""))
    append_events(database, [bare], at or confirmation.time)
    bids = sum(isinstance(m, CreateBid) for m in confirmation.intent.messages)
    if confirmation.outcome is IntentOutcome.LANDED and bids:
        add_total(database, "bids_placed", bids)
    add_total(database, ENDED + confirmation.outcome.value, 1)
    return True


def _close(database: Database, end: Confirmation) -> bool:
    intent = end.intent
    database.execute(
        "INSERT INTO intents (hash, content) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING",
        (intent.hash, dumps(Intent, intent)),
    )
    ending = (end.outcome.value, end.height, end.time, end.code, clean(end.codespace), clean(end.log))
    changed = database.execute(
        f"UPDATE intents SET ({_END_COLUMNS}) = (?, ?, ?, ?, ?, ?) WHERE hash = ? AND outcome IS NULL",  # noqa: S608 - constants
        (*ending, intent.hash),
    )
    database.execute(
        "DELETE FROM intents WHERE outcome IS NOT NULL "
        "AND position <= (SELECT max(position) FROM intents) - ?",
        (HISTORY_MAX,),
    )
    return changed == 1


def load_ended_intent(database: Database, tx_hash: str) -> Confirmation | None:
    """How an intent ended; None if it is open or unknown."""
    rows = database.rows(
        f"SELECT content, {_END_COLUMNS} FROM intents WHERE hash = ? AND outcome IS NOT NULL",  # noqa: S608 - constants
        (tx_hash,),
    )
    return _confirmation(database, rows[0]) if rows else None


def past_transactions(database: Database, before: int, at_most: int) -> tuple[PastTransaction, ...]:
    """Transactions below a position (0: all), newest first, without their bytes."""
    rows = database.rows(
        f"SELECT position, content, {_END_COLUMNS} FROM intents WHERE position < ? "  # noqa: S608 - constants
        "ORDER BY position DESC LIMIT ?",
        (before or 2**62, at_most),
    )
    return tuple(_past(database, row) for row in rows)


def transactions_by_prefix(database: Database, beginning: str, at_most: int) -> tuple[PastTransaction, ...]:
    """Transactions whose hash has this prefix (hexadecimal digits, either case), newest first."""
    first = beginning.upper()
    rows = database.rows(
        f"SELECT position, content, {_END_COLUMNS} FROM intents WHERE hash >= ? AND hash < ? "  # noqa: S608 - constants
        "ORDER BY position DESC LIMIT ?",
        (first, f"{first}G", at_most),  # "G" follows every hexadecimal digit
    )
    return tuple(_past(database, row) for row in rows)


def _past(database: Database, row: Row) -> PastTransaction:
    position, content, outcome, *_ = row
    end = _confirmation(database, row[1:]) if outcome is not None else None
    intent = replace(end.intent if end else _intent(database, content), tx=b"")
    return PastTransaction(position, intent, replace(end, intent=intent) if end else None)


def _confirmation(database: Database, row: Row) -> Confirmation:
    content, outcome, *rest = row
    return Confirmation(_intent(database, content), IntentOutcome(outcome), *rest)


def _intent(database: Database, content: str) -> Intent:
    try:
        return loads(Intent, content)
    except CodecError as error:
        raise JournalBrokenError(database.path, error) from error


def add_total(database: Database, name: str, amount: int) -> None:
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
