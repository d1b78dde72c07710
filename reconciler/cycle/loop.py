"""Runs cycles until stopped, with waits that events end early; a failed cycle does not end the loop."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.cycle.environment import Environment
from reconciler.cycle.exceptions import format_origin, sentence_of
from reconciler.cycle.run import Cycle, Runner
from reconciler.values.records import Request
from reconciler.values.snapshot import Snapshot

log = logging.getLogger(__name__)

BACKOFF_SECONDS = (1, 2, 5, 15, 30, 60)

GRACE_SECONDS = 5.0
"""How long a stop waits for effects in flight."""

NAMED_MAX = 3
"""Abandoned effects of a target that a log line names."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The longest wait between cycles, in seconds."""

    at_most_seconds: float = 5.0


class Loop:
    """Runs cycles until it is stopped; a stop lets the current cycle finish."""

    def __init__(
        self, environment: Environment, runner: Runner, pace: Pace, show: Callable[[Snapshot], None]
    ) -> None:
        self._environment = environment
        self._runner = runner
        self._pace = pace
        self._show = show
        self._stopping = False

    def stop(self) -> None:
        """Stop after the current cycle; callable from a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Run until stopped. Any `Exception` ends only its cycle; the wait grows with consecutive failures.
        Only other exceptions (KeyboardInterrupt, SystemExit) end the loop.
        """
        while not self._stopping:
            snapshot = self._cycle()
            self._show_snapshot(snapshot)
            if self._stopping or self._handle_requests():
                break
            self._environment.clock.wait(self._wait_seconds(snapshot))
            if self._handle_requests():
                break
        self._drain()

    def _drain(self) -> None:
        """Wait briefly for effects in flight; the next start observes what became of the others."""
        try:
            left = self._runner.drain(GRACE_SECONDS)
        except Exception as error:  # such as a full disk: the results are recovered by observation
            log.error("results could not be recorded: %s%s", sentence_of(error), format_origin(error))
            return
        for target in sorted({each.item.key.target for each in left}):
            found = [each for each in left if each.item.key.target == target]
            running = sum(each.is_running for each in found)
            log.warning(
                "%s: abandoned %d running and %d queued effects, which the next start observes: %s",
                target,
                running,
                len(found) - running,
                "; ".join(each.item.description for each in found[:NAMED_MAX]),
            )

    def _cycle(self) -> Snapshot:
        began_at = self._environment.clock.now()
        try:
            return self._runner.run_cycle().snapshot
        except Exception as error:  # an error in one cycle must not end the daemon
            why = sentence_of(error)
            log.error("the cycle failed and is retried: %s%s", why, format_origin(error))
            return self._runner.mark_failed(why, began_at)

    def _show_snapshot(self, snapshot: Snapshot) -> None:
        try:
            self._show(snapshot)
        except Exception as error:  # an error while showing a cycle must not end the loop
            log.error("the cycle could not be shown: %s%s", sentence_of(error), format_origin(error))

    def _wait_seconds(self, snapshot: Snapshot) -> float:
        failures = snapshot.cycle.failures if snapshot.cycle else 0
        if not failures:
            return self._pace.at_most_seconds
        return BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS)) - 1]

    def _handle_requests(self) -> bool:
        """Handle the requests of other threads and processes; True if one asks to stop."""
        try:
            requests = self._environment.store.inbox.take()
        except Exception as error:  # an inbox that cannot be read is no request to stop
            log.error("requests could not be read: %s%s", sentence_of(error), format_origin(error))
            return False
        if Request.RECONCILE in requests:
            self._runner.poll_repository()
        if Request.FORGET_HEIGHT in requests:
            log.warning("the last seen height is forgotten, as requested on this host")
            self._environment.chain.forget_height()
        return Request.STOP in requests

    def once(self, cycles_max: int = 100) -> Cycle:
        """Cycle until nothing is left to do, at most `cycles_max` times more, then publish: `run --once`."""
        cycle = self._runner.run_cycle(flush=True)
        self._show(cycle.snapshot)
        for _ in range(cycles_max):
            inputs = cycle.planned.inputs
            if not (cycle.planned.plan.actions or inputs.intents or inputs.in_flight):
                break
            self._environment.clock.wait(1.0)
            cycle = self._runner.run_cycle(flush=True)
            self._show(cycle.snapshot)
        return cycle
