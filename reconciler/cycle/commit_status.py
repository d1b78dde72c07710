"""Reports commit states to the forge: each state once, stored until it is reported, without blocking."""

from __future__ import annotations

import logging
from functools import partial

from reconciler.cycle.environment import Environment
from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.cycle.revision_status import add_status, add_superseded, commit_status_of, mark_reported
from reconciler.ports import Forge
from reconciler.values.commit_status import CommitStatus, ReportedStatus
from reconciler.values.outcomes import Done, Outcome, Refused, Unknown
from reconciler.values.plans import Plan
from reconciler.values.records import describe_outcome
from reconciler.values.work import FORGE, WorkItem, WorkKey

log = logging.getLogger(__name__)

KEY = WorkKey(FORGE, "commit states")
"""One key for all states: they are reported in order, one at a time."""


class CommitStatusReporter:
    """Belongs to the cycle's thread; does nothing without a forge."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._known: tuple[ReportedStatus, ...] | None = None
        self._sent: CommitStatus | None = None
        self._silent = False

    def note_superseded(self, plan: Plan) -> None:
        """Note the commits that the newest supersedes, before the journal names the newest as applied: from
        then on the repository no longer names them.
        """
        if self._environment.forge is not None:
            known = self._statuses()
            self._keep(known, add_superseded(known, plan))

    def report(self, planned: PlannedCycle) -> None:
        """Record the newest commit's state, and report what is not reported yet, oldest first."""
        if self._environment.forge is None:
            return
        self._collect_result()
        known = self._statuses()
        if (now := commit_status_of(planned)) is not None:
            self._keep(known, add_status(known, now))
        while self._sent is None and (status := self._next()) is not None:
            self._send(self._environment.forge, status)
            if not self._collect_result():
                return

    def _next(self) -> CommitStatus | None:
        return next((each.status for each in self._statuses() if not each.reported), None)

    def _send(self, forge: Forge, status: CommitStatus) -> None:
        item = WorkItem(KEY, f"report commit {status.commit[:12]} as {status.state}")
        if self._environment.queues.submit(item, partial(forge.set_status, status)):
            self._sent = status

    def _collect_result(self) -> bool:
        """Whether the status that was sent is settled."""
        for result in self._environment.queues.collect(FORGE):
            sent, self._sent = self._sent, None
            if sent is not None and not isinstance(result.outcome, Unknown):
                return self._ended(sent, result.outcome)
        return False

    def _statuses(self) -> tuple[ReportedStatus, ...]:
        if self._known is None:
            self._known = self._environment.store.outbox.commit_statuses()
        return self._known

    def _ended(self, status: CommitStatus, outcome: Outcome) -> bool:
        """Whether this state is settled; the forge may no longer have an older commit."""
        known = self._known or ()
        if isinstance(outcome, Done):
            log.info(
                "the forge shows commit %s as %s: %s", status.commit[:12], status.state, status.description
            )
            self._silent = False
        elif isinstance(outcome, Refused) and status != known[-1].status:
            log.warning(
                "the forge refused the state of commit %s: %s", status.commit[:12], describe_outcome(outcome)
            )
        else:
            if not self._silent:
                log.warning(
                    "commit states could not be reported to the forge; retrying: %s",
                    describe_outcome(outcome),
                )
            self._silent = True
            return False
        self._keep(known, mark_reported(known, status))
        return True

    def _keep(self, before: tuple[ReportedStatus, ...], after: tuple[ReportedStatus, ...]) -> None:
        if after != before:
            self._environment.store.outbox.store_commit_statuses(after)
        self._known = after
