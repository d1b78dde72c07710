"""What a cycle saw, on the snapshot branch, so that a pull request can be planned without key, chain or
cluster. An output alone: nothing is read back from it.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from reconciler.cycle.environment import Environment
from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.documents.planning_snapshot import planning_snapshot_files, timeless
from reconciler.values.outcomes import Done, Outcome
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.readings import Unseen
from reconciler.values.records import describe_outcome
from reconciler.values.repository import BranchCommit

log = logging.getLogger(__name__)

EVERY_SECONDS = 300
"""A snapshot is replaced no sooner than this after the last."""

SOON_SECONDS = 30
"""A new revision or lease waits only so long: a plan made without it would be about what is no more."""

BUSY_SECONDS = 900
"""So long a snapshot waits for a cycle with nothing under way; a plan made from one that has would repeat
it.
"""

AGED_SECONDS = 3600
"""A snapshot that still holds is replaced after this, as readers judge it by its age; so rarely, too, is one
tried whose pushes fail: each may keep the cycle waiting.
"""


class SnapshotPublisher:
    """Replaces the snapshot branch; belongs to the cycle's thread."""

    def __init__(self, world: Environment) -> None:
        self._world = world
        self._next_at = 0
        self._soon_at = 0
        self._failures = 0
        self._shared_at = 0
        self._shared: PlanningSnapshot | None = None

    def share(self, finding: PlannedCycle) -> Outcome | None:
        """Push a snapshot when it is time and says something new; None when it is not."""
        now = finding.inputs.now
        if not self._world.sharing or now < self._soon_at or _unanswered(finding):
            return None
        outlook = planning_snapshot_of(self._world.provider, finding)
        if outlook is None or (now < self._next_at and not self._outdated_by(outlook)):
            return None
        busy = bool(finding.plan.actions or finding.inputs.intents)
        if busy and now - self._shared_at < BUSY_SECONDS and self._shared:
            return None
        said = timeless(outlook)
        if said == self._shared and now - self._shared_at < AGED_SECONDS:
            return None
        outcome = self._world.repo.publish(_commit(replace(outlook, folder=self._world.folder)))
        self._failures = 0 if isinstance(outcome, Done) else self._failures + 1
        self._next_at = now + min(EVERY_SECONDS << max(self._failures - 1, 0), AGED_SECONDS)
        self._soon_at = self._next_at if self._failures else now + SOON_SECONDS
        if isinstance(outcome, Done):
            self._shared, self._shared_at = said, now
            log.info("shared a snapshot at height %d", outlook.market.height)
        else:
            log.warning("the snapshot was not pushed, the next one follows: %s", describe_outcome(outcome))
        return outcome

    def _outdated_by(self, outlook: PlanningSnapshot) -> bool:
        """Whether another revision is in force, or other leases are ours, than the last snapshot says."""
        shared = self._shared
        return shared is not None and (
            shared.memory.applied != outlook.memory.applied
            or shared.market.leases.keys() != outlook.market.leases.keys()
        )


def _unanswered(finding: PlannedCycle) -> bool:
    """Whether the repository was silent in this cycle: the next to wait for it is the next look."""
    desired = finding.inputs.desired
    return isinstance(desired, Unseen) or bool(desired.view.stale)


def planning_snapshot_of(provider: str, finding: PlannedCycle) -> PlanningSnapshot | None:
    """What a cycle leaves behind to plan from; None while the chain is not seen."""
    inputs = finding.inputs
    market = inputs.seen_market
    if market is None:
        return None
    return PlanningSnapshot(
        provider=provider,
        taken_at=inputs.now,
        market=market,
        adapters=inputs.adapters,
        memory=finding.plan.memory,
        limits=inputs.limits,
        notifying=inputs.notifying,
    )


def _commit(outlook: PlanningSnapshot) -> BranchCommit:
    market = outlook.market
    return BranchCommit(
        branch=f"snapshot/{outlook.provider}",
        files=planning_snapshot_files(outlook),
        message=f"What {outlook.provider} sees at height {market.height}",
        trailers=(("Chain-Height", str(market.height)), ("Desired-Revision", outlook.memory.applied)),
        replaces=True,
    )
