"""The inbox: requests to the loop and approvals, written by any thread."""

from __future__ import annotations

import threading
from pathlib import Path

from reconciler.journal.database import Database
from reconciler.journal.outbox import append_events
from reconciler.journal.pending import APPROVALS
from reconciler.values.approvals import Approval
from reconciler.values.records import Request


class SqliteInbox:
    """`ports.Inbox` on a separate connection, so that HTTP threads never use the cycle's."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path)
        self._lock = threading.Lock()

    def enqueue(self, request: Request, at: int) -> None:
        with self._lock:
            self._database.execute(
                "INSERT INTO inbox (request, at) VALUES (?, ?) ON CONFLICT (request) DO NOTHING",
                (request.value, at),
            )

    def approve(self, approval: Approval) -> None:
        with self._lock, self._database.transaction():
            APPROVALS.add(self._database, [approval])
            append_events(self._database, [approval], approval.at)

    def take(self) -> tuple[Request, ...]:
        with self._lock:
            rows = self._database.rows("SELECT id, request FROM inbox ORDER BY id")
            if rows:
                self._database.execute("DELETE FROM inbox WHERE id <= ?", (rows[-1][0],))
            return tuple(Request(text) for _, text in rows)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._database.close()
