"""Opens the journal of a state directory: for writing by one daemon, or for reading."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from reconciler.journal.cycles import SqliteJournal, load
from reconciler.journal.database import NAME, Database
from reconciler.journal.decisions import Decisions, find, latest, orders_of
from reconciler.journal.errors import JournalError
from reconciler.journal.inbox import SqliteInbox
from reconciler.journal.intents import (
    SqliteIntents,
    load_ended_intent,
    past_transactions,
    totals,
    transactions_by_prefix,
)
from reconciler.journal.ledger import booked_entries, entries_after
from reconciler.journal.lock import DaemonLock
from reconciler.journal.outbox import SqliteOutbox, events_since, last_commit
from reconciler.journal.revisions import past_revisions
from reconciler.journal.state_directory import make_state_directory
from reconciler.values.intents import Confirmation
from reconciler.values.ledger import BookedEntry, LedgerPage
from reconciler.values.memory import Memory
from reconciler.values.records import (
    Decision,
    JournalCounts,
    JournalPage,
    PastRevision,
    PastTransaction,
    RecordedEvent,
    Totals,
)
from reconciler.values.subjects import Subject

FOUND_MAX = 1_000
DECISIONS_PER_PAGE = 100
"""Decisions of one page."""


class SqliteRecords:
    """`ports.Records` and `ports.History` on a read-only connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decisions(self, subject: Subject) -> tuple[Decision, ...]:
        return find(self._database, subject, FOUND_MAX)

    def orders_of(self, dseq: int) -> tuple[str, ...]:
        """The ids of the orders of a deployment's number that have decisions."""
        return orders_of(self._database, dseq)

    def confirmation(self, tx_hash: str) -> Confirmation | None:
        return load_ended_intent(self._database, tx_hash)

    def totals(self) -> Totals:
        return totals(self._database)

    def published(self) -> str:
        return last_commit(self._database)

    def counts(self) -> JournalCounts:
        (open_now,) = self._database.rows("SELECT count(*) FROM intents WHERE outcome IS NULL")[0]
        (unpublished,) = self._database.rows("SELECT count(*) FROM outbox")[0]
        return JournalCounts(open_now, totals(self._database).ended, unpublished)

    def page(self, before: int, at_most: int) -> JournalPage:
        transactions = past_transactions(self._database, before, at_most + 1)
        return JournalPage(
            self.counts(),
            transactions[:at_most],
            has_older=len(transactions) > at_most,
            decisions=latest(self._database, DECISIONS_PER_PAGE),
        )

    def events(self, since: int, at_most: int) -> tuple[RecordedEvent, ...]:
        """The newest events that are not older than `since` (unix seconds), oldest first."""
        return events_since(self._database, since, at_most)

    def ledger(self) -> tuple[BookedEntry, ...]:
        """Every change of the wallet's balance, as it was booked."""
        return booked_entries(self._database)

    def ledger_after(self, row: int) -> LedgerPage:
        return entries_after(self._database, row)

    def memory(self) -> Memory:
        """The memory of the last cycle."""
        return load(self._database)

    def revisions(self, at_most: int) -> tuple[PastRevision, ...]:
        """Verdicts on revisions, newest first."""
        return past_revisions(self._database, at_most)

    def transactions(self, beginning: str, at_most: int) -> tuple[PastTransaction, ...]:
        """Transactions whose hash has this prefix, newest first."""
        return transactions_by_prefix(self._database, beginning, at_most)

    def close(self) -> None:
        """Close the connection."""
        self._database.close()


@dataclass(frozen=True, slots=True)
class OpenJournal:
    """A journal that is locked until it is closed; all but the inbox belong to the cycle's thread."""

    journal: SqliteJournal
    intents: SqliteIntents
    outbox: SqliteOutbox
    inbox: SqliteInbox
    records: SqliteRecords
    database: Database
    lock: DaemonLock

    def close(self) -> None:
        """Close the connections, then release the lock."""
        self.inbox.close()
        self.database.close()
        self.lock.release()


def open_journal(directory: Path) -> OpenJournal:
    """Lock the state directory (created with mode 0700 if missing) and open its journal.

    Raises JournalError if others could write there, JournalLockedError while another daemon holds it,
    JournalBrokenError for a damaged file.
    """
    make_state_directory(directory)
    lock = DaemonLock(directory)
    try:
        return _open(directory / NAME, lock)
    except BaseException:
        lock.release()
        raise


def _open(path: Path, lock: DaemonLock) -> OpenJournal:
    database = Database(path)
    try:
        database.check()
        decisions = Decisions(database)
        return OpenJournal(
            SqliteJournal(database, decisions),
            SqliteIntents(database, decisions),
            SqliteOutbox(database),
            SqliteInbox(path),
            SqliteRecords(database),
            database,
            lock,
        )
    except BaseException:
        database.close()
        raise


def open_records(directory: Path) -> SqliteRecords:
    """Open the journal of a state directory for reading, locked or not; JournalError if there is none."""
    path = directory / NAME
    if not path.exists():
        raise JournalError(f"there is no journal {path} yet; run the daemon once, or name its host file")
    return SqliteRecords(Database(path, read_only=True))


def copy_journal(directory: Path, scratch: Path) -> None:
    """Copy the journal of a state directory into another, consistently; does nothing if there is none."""
    source = directory / NAME
    if not source.exists():
        return
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as original,
            closing(sqlite3.connect(scratch / NAME)) as copy,
        ):
            original.backup(copy)
    except sqlite3.Error as error:
        raise JournalError(f"the journal {source} cannot be copied: {error}") from None
