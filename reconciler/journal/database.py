"""One SQLite file: opened safely, written in transactions, its errors converted into messages."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reconciler.journal.errors import JournalBrokenError, JournalError
from reconciler.journal.schema import ForeignJournalError, check_version, create_tables

NAME = "journal.sqlite"
BUSY_SECONDS = 2.0
"""How long a writer waits for another: inbox and cycle write concurrently, each for milliseconds."""

Row = tuple[Any, ...]


class Database:
    """A connection to the journal; a committed transaction survives `kill -9` and loss of power.

    Every error is a JournalError with a message. One thread at a time.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self.path = path
        with self._translated_errors():
            self._connection = _connect(path, read_only)
            self._prepare(read_only)

    def _prepare(self, read_only: bool) -> None:
        try:
            if read_only:
                self._connection.execute("PRAGMA query_only = ON")
                check_version(self._connection)
                return
            (mode,) = self._connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise JournalError(
                    f"{self.path} is on a file system that cannot share memory between readers; "
                    f"put the state directory on a local disk"
                )
            self._connection.execute("PRAGMA synchronous = FULL")
            create_tables(self._connection)
        except BaseException:
            self._connection.close()
            raise

    def check(self) -> None:
        """Read the whole file once; raises JournalBrokenError where a page is damaged."""
        findings = self.rows("PRAGMA quick_check(1)")
        if findings != [("ok",)]:
            raise JournalBrokenError(self.path, findings[0][0] if findings else "no answer to a check")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit the statements within atomically; durable on return."""
        with self._translated_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def execute(self, sql: str, values: Sequence[object] = ()) -> int:
        """Run one statement; returns the count of changed rows."""
        with self._translated_errors():
            return self._connection.execute(sql, values).rowcount

    def execute_all(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run one statement for each row of values."""
        if rows:
            with self._translated_errors():
                self._connection.executemany(sql, rows)

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """The rows of a query."""
        with self._translated_errors():
            return self._connection.execute(sql, values).fetchall()

    def close(self) -> None:
        """Close the connection; what was committed is on disk already."""
        self._connection.close()

    @contextlib.contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise JournalError(
                f"the journal {self.path} cannot be used: {error}; check that its disk has room and that the "
                f"daemon's user may write there"
            ) from error
        except OverflowError as error:
            raise JournalError(
                f"the journal {self.path} cannot store a number of more than 64 bits; check the node that "
                f"reported it, or use another"
            ) from error
        except ForeignJournalError as error:
            raise JournalBrokenError(self.path, *error.args) from error
        except sqlite3.DatabaseError as error:
            raise JournalBrokenError(self.path, error) from error


def _connect(path: Path, read_only: bool) -> sqlite3.Connection:
    if not read_only:
        # SQLite gives its -wal and -shm files the mode of this file, which contains financial history.
        # Do not open an existing file: closing any descriptor of it releases this process's POSIX locks, and
        # another process could then remove the write-ahead log in use.
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            pass
        except OSError as error:
            raise JournalError(
                f"the journal {path} cannot be opened: {error.strerror}; give it to the daemon's user, or "
                f"name another state directory in the host file"
            ) from None
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
