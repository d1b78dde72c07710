"""The journal of a cycle: memory, results and decisions, each plan in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.documents.codec import CodecError
from reconciler.journal.database import Database
from reconciler.journal.decisions import Decisions
from reconciler.journal.errors import JournalBrokenError
from reconciler.journal.intents import add_total, record_end
from reconciler.journal.ledger import append_entries, delete_entries_after
from reconciler.journal.outbox import append_events
from reconciler.journal.pending import APPROVALS, RESULTS
from reconciler.journal.revisions import RevisionStore
from reconciler.journal.rows import RowChange, changes, collect
from reconciler.values.approvals import Approval
from reconciler.values.memory import Memory
from reconciler.values.plans import Plan
from reconciler.values.records import EffectResult

_CREATED_AT = "created_at"


class SqliteJournal:
    """`ports.Journal` on the journal's file; belongs to the cycle's thread."""

    def __init__(self, database: Database, decisions: Decisions) -> None:
        self._database = database
        self._decisions = decisions
        self._memory = load(database)
        self._new = not database.rows("SELECT 1 FROM facts WHERE name = ?", (_CREATED_AT,))
        self._revisions = RevisionStore(database)
        self._results_read = 0
        self._approvals_read = 0

    def is_new(self) -> bool:
        return self._new

    def memory(self) -> Memory:
        return self._memory

    def results(self) -> tuple[EffectResult, ...]:
        found, self._results_read = RESULTS.read(self._database)
        return found

    def approvals(self) -> tuple[Approval, ...]:
        found, self._approvals_read = APPROVALS.read(self._database)
        return found

    def remember(self, plan: Plan, at: int) -> None:
        changed = changes(self._memory, plan.memory)
        decided = self._decisions.rows_of_holds(plan.holds, at)
        decided += self._decisions.rows_of_landed(plan.confirmations, at)
        decided += self._decisions.rows_of_ended(plan.holds, at)
        has_events = plan.transitions or plan.confirmations or plan.entries or self._revisions.changes(plan)
        if changed or decided or has_events or self._results_read or self._approvals_read or self._new:
            with self._database.transaction():
                self._store(changed)
                self._begin_or_count(plan.memory, at)
                self._decisions.write(decided)
                for confirmation in plan.confirmations:
                    record_end(self._database, confirmation, at)
                self._revisions.write(plan, at)
                append_events(self._database, plan.transitions, at)
                if plan.memory.height < self._memory.height:
                    delete_entries_after(self._database, plan.memory.height)
                append_entries(self._database, plan.entries, plan.revision)
                RESULTS.delete(self._database, self._results_read)
                APPROVALS.delete(self._database, self._approvals_read)
            self._revisions.refresh_cache()
        self._memory, self._new, self._results_read, self._approvals_read = plan.memory, False, 0, 0
        self._decisions.update_cache(decided, at)

    def _store(self, changed: Sequence[RowChange]) -> None:
        kept = [(c.section, c.key, c.content) for c in changed if c.content is not None]
        gone = [(c.section, c.key) for c in changed if c.content is None]
        self._database.execute_all("REPLACE INTO memory (section, key, content) VALUES (?, ?, ?)", kept)
        self._database.execute_all("DELETE FROM memory WHERE section = ? AND key = ?", gone)

    def _begin_or_count(self, memory: Memory, at: int) -> None:
        if self._new:
            # Leases found by a new journal were won by bids that it did not count.
            self._database.execute("REPLACE INTO facts (name, content) VALUES (?, ?)", (_CREATED_AT, str(at)))
        elif won := len(memory.workloads.keys() - self._memory.workloads.keys()):
            add_total(self._database, "bids_won", won)

    def record(self, outcomes: Sequence[EffectResult]) -> None:
        if not outcomes:
            return
        decided = self._decisions.rows_of_results(outcomes)
        with self._database.transaction():
            RESULTS.add(self._database, outcomes)
            append_events(self._database, outcomes, max(each.at for each in outcomes))
            self._decisions.write(decided)
        self._decisions.update_cache(decided, max(each.at for each in outcomes))


def load(database: Database) -> Memory:
    """The memory of the last remembered plan."""
    rows = database.rows("SELECT section, key, content FROM memory")
    try:
        return collect(rows)
    except (CodecError, TypeError) as error:
        raise JournalBrokenError(database.path, error) from error
