"""Reports commit states to the forge: each state once, stored until it is reported, without blocking."""

from __future__ import annotations

import logging

from reconciler.cycle.environment import Environment
from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.cycle.revision_status import commit_state_of, noted, reported, superseded
from reconciler.values.commit_state import CommitState, ReportedState
from reconciler.values.outcomes import Done, Outcome, Refused, Unknown
from reconciler.values.plans import Plan
from reconciler.values.records import describe_outcome

log = logging.getLogger(__name__)


class CommitStatusReporter:
    """Belongs to the cycle's thread; does nothing without a forge."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._known: tuple[ReportedState, ...] | None = None
        self._silent = False

    def note_superseded(self, plan: Plan) -> None:
        """Note the commits that the newest supersedes, before the journal names the newest as applied: from
        then on the repository no longer names them.
        """
        if self._environment.forge is not None:
            known = self._noted()
            self._keep(known, superseded(known, plan))

    def report(self, planned: PlannedCycle) -> None:
        """Record the newest commit's state, and report what is not reported yet, oldest first."""
        forge = self._environment.forge
        if forge is None:
            return
        known = self._noted()
        if (now := commit_state_of(planned)) is not None:
            self._keep(known, noted(known, now))
        for stated in self._noted():
            if stated.reported:
                continue
            outcome = forge.set_state(stated.state)
            if isinstance(outcome, Unknown) or not self._ended(stated.state, outcome):
                return

    def _noted(self) -> tuple[ReportedState, ...]:
        if self._known is None:
            self._known = self._environment.store.outbox.states()
        return self._known

    def _ended(self, said: CommitState, outcome: Outcome) -> bool:
        """Whether this state is settled; the forge may no longer have an older commit."""
        known = self._known or ()
        if isinstance(outcome, Done):
            log.info("the forge shows commit %s as %s: %s", said.commit[:12], said.stand, said.description)
            self._silent = False
        elif isinstance(outcome, Refused) and said != known[-1].state:
            log.warning(
                "the forge refused the state of commit %s: %s", said.commit[:12], describe_outcome(outcome)
            )
        else:
            if not self._silent:
                log.warning(
                    "commit states could not be reported to the forge; retrying: %s",
                    describe_outcome(outcome),
                )
            self._silent = True
            return False
        self._keep(known, reported(known, said))
        return True

    def _keep(self, before: tuple[ReportedState, ...], after: tuple[ReportedState, ...]) -> None:
        if after != before:
            self._environment.store.outbox.keep_states(after)
        self._known = after
