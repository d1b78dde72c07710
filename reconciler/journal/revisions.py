"""The revisions table: each evaluated revision, its verdict, and when it was superseded.

At most two rows are open (not ended): the revision in force, and the newest if it is held. A commit that was
superseded before it was evaluated has a row that is ended from the start.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.documents.codec import CodecError, dumps, loads
from reconciler.journal.database import Database
from reconciler.journal.errors import JournalBrokenError
from reconciler.journal.outbox import append_events
from reconciler.reports.plan_json import plan_digest
from reconciler.values.plans import Plan
from reconciler.values.records import PastRevision
from reconciler.values.revision_verdict import RevisionVerdict, VerdictKind

KEPT_MAX = 10_000
"""Retention of revisions; the oldest are deleted first."""

RECENT = 500
"""Newest rows that are searched for a superseded commit, several times the commits that one plan names."""

_SELECT = "SELECT id, content, plan_digest, seen_at, judged_at, ended_at FROM revisions"


class RevisionStore:
    """Writes the table when the verdict or the revision changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open = _open(database)
        self._recent = _recent(database)

    def changes(self, plan: Plan) -> bool:
        """Whether there is anything to write."""
        return self._changes(plan.revision_verdict) or bool(self._unrecorded(plan))

    def _changes(self, revision_verdict: RevisionVerdict | None) -> bool:
        if revision_verdict is None:
            return False
        here = self._open.get(revision_verdict.commit)
        return (
            here is None
            or _without_approver(here[1].revision_verdict) != _without_approver(revision_verdict)
            or bool(self._rows_to_end(revision_verdict))
        )

    def write(self, plan: Plan, at: int) -> None:
        """Store and publish the verdict and end the rows that it replaces, in the caller's transaction."""
        self._note_superseded(plan, at)
        revision_verdict = plan.revision_verdict
        if revision_verdict is None or not self._changes(revision_verdict):
            return
        ended = [(at, row) for row in self._rows_to_end(revision_verdict)]
        self._database.execute_all("UPDATE revisions SET ended_at = ? WHERE id = ?", ended)
        row, known = self._open.get(revision_verdict.commit, (None, None))
        if known is not None and _without_approver(known.revision_verdict) == _without_approver(
            revision_verdict
        ):
            return  # the branch was reset to this commit
        seen_at = known.seen_at if known is not None else at
        self._database.execute(
            "REPLACE INTO revisions (id, content, plan_digest, seen_at, judged_at) VALUES (?, ?, ?, ?, ?)",
            (row, dumps(RevisionVerdict, revision_verdict), plan_digest(plan), seen_at, at),
        )
        self._database.execute(
            "DELETE FROM revisions WHERE id <= (SELECT max(id) FROM revisions) - ?", (KEPT_MAX,)
        )
        append_events(self._database, [revision_verdict], at)

    def refresh_cache(self) -> None:
        """Update the cached open rows after the transaction is committed."""
        self._open = _open(self._database)
        self._recent = _recent(self._database)

    def _note_superseded(self, plan: Plan, at: int) -> None:
        """Write one ended row for each, before the row of the newer commit."""
        found = self._unrecorded(plan)
        if not found:
            return
        digest = plan_digest(plan)
        self._database.execute_all(
            "INSERT INTO revisions (content, plan_digest, seen_at, judged_at, ended_at) "
            "VALUES (?, ?, ?, ?, ?)",
            [(dumps(RevisionVerdict, each), digest, at, at, at) for each in found],
        )
        append_events(self._database, found, at)

    def _unrecorded(self, plan: Plan) -> list[RevisionVerdict]:
        """Superseded commits without a row: one that was evaluated before has its own."""
        return [each for each in plan.superseded if each.commit not in self._recent]

    def _rows_to_end(self, revision_verdict: RevisionVerdict) -> list[int]:
        """Rows to end: a held revision is replaced by any other, the one in force by a newly applied one."""
        return [
            row
            for row, past in self._open.values()
            if past.revision_verdict.commit != revision_verdict.commit
            and (
                revision_verdict.verdict is VerdictKind.APPLIED
                or past.revision_verdict.verdict is not VerdictKind.APPLIED
            )
        ]


def past_revisions(database: Database, at_most: int) -> tuple[PastRevision, ...]:
    """Verdicts on revisions, newest first."""
    return tuple(past for _, past in _read(database, f"{_SELECT} ORDER BY id DESC LIMIT ?", at_most))


def _open(database: Database) -> dict[str, tuple[int, PastRevision]]:
    found = _read(database, f"{_SELECT} WHERE ended_at = 0 ORDER BY id DESC LIMIT ?", 2)
    return {past.revision_verdict.commit: (row, past) for row, past in reversed(found)}


def _recent(database: Database) -> frozenset[str]:
    rows = database.rows(
        "SELECT CASE WHEN json_valid(content) THEN json_extract(content, '$.commit') END FROM revisions "
        "ORDER BY id DESC LIMIT ?",
        (RECENT,),
    )
    return frozenset(str(row[0]) for row in rows)


def _read(database: Database, sql: str, at_most: int) -> list[tuple[int, PastRevision]]:
    rows = database.rows(sql, (at_most,))
    try:
        return [
            (row, PastRevision(loads(RevisionVerdict, content), digest, seen_at, judged_at, ended_at))
            for row, content, digest, seen_at, judged_at, ended_at in rows
        ]
    except CodecError as error:
        raise JournalBrokenError(database.path, error) from error


def _without_approver(revision_verdict: RevisionVerdict) -> RevisionVerdict:
    """The verdict without the approver, so that a change of approver is no new verdict."""
    return (
        replace(revision_verdict, why="")
        if revision_verdict.verdict is VerdictKind.APPLIED
        else revision_verdict
    )
