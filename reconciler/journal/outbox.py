"""The outbox table: events that no pushed status commit covers yet; and the history table, which keeps them
longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.documents.codec import CodecError, decode, dumps
from reconciler.journal.database import Database
from reconciler.journal.errors import JournalBrokenError
from reconciler.values.commit_status import ReportedStatus
from reconciler.values.records import Event, RecordedEvent, Unpublished

BATCH_MAX = 10_000
"""Events per batch; a commit message could not hold more."""

COMMIT = "published"
"""The fact that names the last commit that covered events."""

STATES = "commit_states"
"""The fact that holds the commit states on the forge."""

HISTORY_MAX = 50_000
"""Retention of events, published or not; the oldest are deleted first."""


def append_events(database: Database, events: Sequence[Event], at: int) -> None:
    """Add events that occurred at a time (unix seconds), within the caller's transaction."""
    if not events:
        return
    texts = [dumps(Event, event) for event in events]
    database.execute_all("INSERT INTO outbox (content) VALUES (?)", [(text,) for text in texts])
    database.execute_all("INSERT INTO history (at, content) VALUES (?, ?)", [(at, text) for text in texts])
    for table in ("outbox", "history"):
        oldest = f"DELETE FROM {table} WHERE id <= (SELECT max(id) FROM {table}) - ?"  # noqa: S608 - constants
        database.execute(oldest, (HISTORY_MAX,))


class SqliteOutbox:
    """`ports.Outbox` on the journal's file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._decoded: Mapping[tuple[int, str], Unpublished] = {}

    def unpublished(self) -> tuple[Unpublished, ...]:
        """Events that no pushed commit covers, oldest first; each is decoded once."""
        rows = self._database.rows("SELECT id, content FROM outbox ORDER BY id LIMIT ?", (BATCH_MAX,))
        known = self._decoded
        try:
            found = [
                known.get((row, content)) or Unpublished(row, decode(Event, content)) for row, content in rows
            ]
        except CodecError as error:
            raise JournalBrokenError(self._database.path, error) from error
        self._decoded = dict(zip(rows, found, strict=True))
        return tuple(found)

    def mark_published(self, ids: Sequence[int], commit: str) -> None:
        known = last_commit(self._database)
        if not ids and commit in ("", known):
            return
        with self._database.transaction():
            self._database.execute_all("DELETE FROM outbox WHERE id = ?", [(each,) for each in ids])
            if commit:
                self._database.execute("REPLACE INTO facts (name, content) VALUES (?, ?)", (COMMIT, commit))

    def commit_statuses(self) -> tuple[ReportedStatus, ...]:
        rows = self._database.rows("SELECT content FROM facts WHERE name = ?", (STATES,))
        try:
            return decode(tuple[ReportedStatus, ...], rows[0][0]) if rows else ()
        except CodecError as error:
            raise JournalBrokenError(self._database.path, error) from error

    def store_commit_statuses(self, states: Sequence[ReportedStatus]) -> None:
        text = dumps(tuple[ReportedStatus, ...], tuple(states))
        with self._database.transaction():
            self._database.execute("REPLACE INTO facts (name, content) VALUES (?, ?)", (STATES, text))


def events_since(database: Database, since: int, at_most: int) -> tuple[RecordedEvent, ...]:
    """The newest events that are not older than `since` (unix seconds), oldest first."""
    rows = database.rows(
        "SELECT id, at, content FROM history WHERE at >= ? ORDER BY id DESC LIMIT ?", (since, at_most)
    )
    try:
        return tuple(RecordedEvent(row, at, decode(Event, content)) for row, at, content in reversed(rows))
    except CodecError as error:
        raise JournalBrokenError(database.path, error) from error


def last_commit(database: Database) -> str:
    """The last commit that covered events, "" for none."""
    rows = database.rows("SELECT content FROM facts WHERE name = ?", (COMMIT,))
    return str(rows[0][0]) if rows else ""
