"""Publishes a cycle's planning snapshot on the snapshot branch, so that a pull request can be planned without
key, chain or cluster. Output only: never read back.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from reconciler.cycle.environment import Environment
from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.documents.planning_snapshot import planning_snapshot_files, without_times
from reconciler.values.manifests import NO_MANIFESTS
from reconciler.values.outcomes import Done, Outcome
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.readings import Seen, Unseen
from reconciler.values.records import describe_outcome
from reconciler.values.repository import BranchCommit
from reconciler.values.times import is_over
from reconciler.values.work import SNAPSHOT, WorkItem, WorkKey

log = logging.getLogger(__name__)

EVERY_SECONDS = 300
"""The interval of snapshots without a new revision or lease."""

SOON_SECONDS = 30
"""The same after a new revision or lease, without which plans would be outdated."""

BUSY_SECONDS = 900
"""The longest wait for a cycle without open effects, which a plan made from the snapshot would repeat."""

AGED_SECONDS = 3600
"""The age at which an unchanged snapshot is replaced, as readers check its age. It also bounds the back-off
of failed pushes, as each may delay the cycle.
"""


class SnapshotPublisher:
    """Replaces the snapshot branch; belongs to the cycle's thread."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._ended_at = 0
        self._soon_seconds = 0
        self._next_seconds = 0
        self._failures = 0
        self._pushed_at = 0
        self._pushed: PlanningSnapshot | None = None
        self._push: PlanningSnapshot | None = None

    def publish(self, planned: PlannedCycle) -> Outcome | None:
        """Push a snapshot if due, and changed or an hour old; the outcome, if it is known at once."""
        now = planned.inputs.now
        self._collect_result(now)
        if self._push is not None:
            return None
        if not (self._environment.publishes_snapshot and self._waited(self._soon_seconds, now)):
            return None
        planning_snapshot = (
            None if _is_unanswered(planned) else planning_snapshot_of(self._environment.provider, planned)
        )
        if planning_snapshot is None:
            return None
        if not (self._waited(self._next_seconds, now) or self._outdated_by(planning_snapshot)):
            return None
        inputs = planned.inputs
        busy = bool(planned.plan.actions or inputs.intents or inputs.in_flight)
        if busy and not is_over(self._pushed_at, BUSY_SECONDS, now) and self._pushed:
            return None
        timeless = without_times(planning_snapshot)
        if timeless == self._pushed and not is_over(self._pushed_at, AGED_SECONDS, now):
            return None
        self._submit(timeless, planning_snapshot)
        return self._collect_result(now)

    def _submit(self, timeless: PlanningSnapshot, planning_snapshot: PlanningSnapshot) -> None:
        commit = partial(_commit, replace(planning_snapshot, folder=self._environment.repository_folder))
        branch = f"snapshot/{self._environment.provider}"
        height = planning_snapshot.market.height
        item = WorkItem(WorkKey(SNAPSHOT, branch), f"publish a snapshot at height {height}")
        if self._environment.queues.submit(item, lambda: self._environment.repo.publish(commit())):
            self._push = timeless

    def _collect_result(self, now: int) -> Outcome | None:
        """Record how the last push ended, if it has; its outcome."""
        for result in self._environment.queues.collect(SNAPSHOT):
            outcome, timeless = result.outcome, self._push
            self._push = None
            self._failures = 0 if isinstance(outcome, Done) else self._failures + 1
            self._ended_at = now
            self._next_seconds = min(EVERY_SECONDS << max(self._failures - 1, 0), AGED_SECONDS)
            self._soon_seconds = self._next_seconds if self._failures else SOON_SECONDS
            if isinstance(outcome, Done) and timeless is not None:
                self._pushed, self._pushed_at = timeless, now
                log.info("shared a snapshot at height %d", timeless.market.height)
            else:
                log.warning(
                    "the snapshot was not pushed; retrying with the next one: %s", describe_outcome(outcome)
                )
            return outcome
        return None

    def _waited(self, seconds: int, now: int) -> bool:
        return is_over(self._ended_at, seconds, now)

    def _outdated_by(self, planning_snapshot: PlanningSnapshot) -> bool:
        """Whether the revision in force or our leases differ from the last snapshot."""
        shared = self._pushed
        return shared is not None and (
            shared.memory.applied != planning_snapshot.memory.applied
            or shared.market.leases.keys() != planning_snapshot.market.leases.keys()
        )


def _is_unanswered(planned: PlannedCycle) -> bool:
    """Whether the repository was unreachable in this cycle; the next fetch retries."""
    desired = planned.inputs.desired
    return isinstance(desired, Unseen) or bool(desired.view.stale)


def planning_snapshot_of(provider: str, planned: PlannedCycle) -> PlanningSnapshot | None:
    """The planning snapshot of a cycle; None while the chain is unseen."""
    inputs = planned.inputs
    market = inputs.seen_market
    if market is None:
        return None
    return PlanningSnapshot(
        provider=provider,
        taken_at=inputs.now,
        market=market,
        adapters=inputs.adapters,
        memory=planned.plan.memory,
        limits=inputs.limits,
        sends_notices=inputs.sends_notices,
        manifests=inputs.manifests.view if isinstance(inputs.manifests, Seen) else NO_MANIFESTS,
    )


def _commit(planning_snapshot: PlanningSnapshot) -> BranchCommit:
    market = planning_snapshot.market
    return BranchCommit(
        branch=f"snapshot/{planning_snapshot.provider}",
        files=planning_snapshot_files(planning_snapshot),
        message=f"Snapshot of {planning_snapshot.provider} at height {market.height}",
        trailers=(
            ("Chain-Height", str(market.height)),
            ("Desired-Revision", planning_snapshot.memory.applied),
        ),
        replaces=True,
    )
