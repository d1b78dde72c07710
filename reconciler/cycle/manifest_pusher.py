"""Pushes accepted manifests, which are on disk before, to the repository."""

from __future__ import annotations

import logging

from reconciler.cycle.environment import Environment
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.backoff import RemoteFailure, wait_seconds
from reconciler.values.outcomes import Done
from reconciler.values.readings import Seen
from reconciler.values.records import describe_outcome
from reconciler.values.times import is_over
from reconciler.values.work import TENANTS, WorkItem, WorkKey

log = logging.getLogger(__name__)

EVERY_SECONDS = 300
"""The interval in which the branch in the repository is compared, without a new manifest."""


class ManifestPusher:
    """One push at a time, which takes all manifests that wait; belongs to the cycle's thread."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._is_busy = False
        self._ended_at = 0
        self._failures = 0
        self._warned = ""

    def push(self, inputs: PlanningInput) -> None:
        """Push if manifests wait, if the repository was not compared for a while, or was never read."""
        manifests = self._environment.manifests
        if manifests is None:
            return
        self._collect_result(inputs.now)
        waits = isinstance(inputs.manifests, Seen) and inputs.manifests.view.unpushed > 0
        after_seconds = EVERY_SECONDS
        if self._failures:
            after_seconds = int(wait_seconds(RemoteFailure.OTHER, self._failures))
        elif waits:
            after_seconds = 0
        if self._is_busy or not is_over(self._ended_at, after_seconds, inputs.now):
            return
        item = WorkItem(WorkKey(TENANTS, f"tenants/{self._environment.provider}"), "push accepted manifests")
        self._is_busy = self._environment.queues.submit(item, manifests.synchronise)
        self._collect_result(inputs.now)

    def _collect_result(self, now: int) -> None:
        for result in self._environment.queues.collect(TENANTS):
            self._is_busy, self._ended_at = False, now
            outcome = result.outcome
            self._failures = 0 if isinstance(outcome, Done) else self._failures + 1
            if isinstance(outcome, Done):
                self._warned = ""
                if outcome.detail:
                    log.info("pushed accepted manifests as %s", outcome.detail[:12])
            elif (why := describe_outcome(outcome)) != self._warned:
                self._warned = why
                log.warning("accepted manifests were not pushed, and wait on this machine: %s", why)
