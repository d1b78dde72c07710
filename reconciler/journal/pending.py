"""Rows that wait for a remembered plan to consume them: results of effects, and the owner's approvals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from reconciler.documents.codec import CodecError, dumps, loads
from reconciler.journal.database import Database
from reconciler.journal.errors import JournalBrokenError
from reconciler.values.approvals import Approval
from reconciler.values.records import EffectResult

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class PendingTable(Generic[Value]):
    """One table of values of a kind; writes belong to the caller's transaction."""

    name: str
    kind: type[Value]

    def add(self, database: Database, values: Sequence[Value]) -> None:
        """Append values."""
        rows = [(dumps(self.kind, each),) for each in values]
        database.execute_all(f"INSERT INTO {self.name} (content) VALUES (?)", rows)  # noqa: S608 - a constant

    def read(self, database: Database) -> tuple[tuple[Value, ...], int]:
        """All values, oldest first, and the id of the last (0 for none)."""
        rows = database.rows(f"SELECT id, content FROM {self.name} ORDER BY id")  # noqa: S608 - a constant
        try:
            found = tuple(loads(self.kind, content) for _, content in rows)
        except CodecError as error:
            raise JournalBrokenError(database.path, error) from error
        return found, rows[-1][0] if rows else 0

    def delete(self, database: Database, last: int) -> None:
        """Delete the values up to an id."""
        if last:
            database.execute(f"DELETE FROM {self.name} WHERE id <= ?", (last,))  # noqa: S608 - a constant


RESULTS = PendingTable("results", EffectResult)
APPROVALS = PendingTable("approvals", Approval)
