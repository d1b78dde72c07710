"""Forever: a cycle, then a wait that anything may end early; a cycle that fails is told and tried again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.cycle.run import Cycle, Runner
from reconciler.cycle.world import World
from reconciler.values.records import Request
from reconciler.values.snapshot import Snapshot

log = logging.getLogger(__name__)

BACKOFF_SECONDS = (1, 2, 5, 15, 30, 60)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the loop waits at most between cycles, in seconds."""

    at_most_seconds: float = 5.0


class Loop:
    """Cycles until asked to stop; the stop lets the cycle under way finish."""

    def __init__(self, world: World, runner: Runner, pace: Pace, show: Callable[[Snapshot], None]) -> None:
        self._world = world
        self._runner = runner
        self._pace = pace
        self._show = show
        self._stopping = False

    def stop(self) -> None:
        """End after the cycle under way; may be called from a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Until stopped. An error of one cycle ends that cycle alone."""
        failures = 0
        while not self._stopping:
            began_at = self._world.clock.now()
            try:
                self._show(self._runner.cycle().snapshot)
                failures = 0
            except OSError as error:
                failures += 1
                log.error("the cycle failed and is tried again: %s", error)
                self._show(self._runner.failed(str(error), began_at))
            wait = self._pace.at_most_seconds
            if failures:
                wait = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS)) - 1]
            if self._stopping or self._asked_to_stop():
                break
            self._world.clock.wait(wait)
            if self._asked_to_stop():
                break

    def _asked_to_stop(self) -> bool:
        """Take what was asked from outside; whoever asks to reconcile wants the repository's newest."""
        asked = self._world.store.inbox.take()
        if Request.RECONCILE in asked:
            self._runner.look_now()
        return Request.STOP in asked

    def once(self, cycles_max: int = 100) -> Cycle:
        """Cycle until nothing is left to do, then publish: `run --once`."""
        cycle = self._runner.cycle(flush=True)
        self._show(cycle.snapshot)
        for _ in range(cycles_max):
            if not (cycle.finding.plan.actions or cycle.finding.situation.intents):
                break
            self._world.clock.wait(1.0)
            cycle = self._runner.cycle(flush=True)
            self._show(cycle.snapshot)
        return cycle
