"""The watchdog: a thread that checks whether cycles finish, logs the stack of a stuck one, and stops
notifying systemd.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from reconciler.cycle.exceptions import FRAMES_MAX, shown_calls

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WatchdogBounds:
    """Seconds since the last cycle finished: after `late` it is logged, after `stuck` the service manager is
    no longer notified.

    `look` is the interval of checks; the log line is repeated when the age has doubled.
    """

    late: float = 120.0
    stuck: float = 600.0
    look: float = 10.0


class Watchdog:
    """Calls `vouch` from a separate thread while cycles finish; created by the cycle's thread.

    `beat` is called at the end of each cycle, failed ones included: a loop that retries is not stuck.
    """

    def __init__(self, bounds: WatchdogBounds, vouch: Callable[[], None]) -> None:
        self._bounds, self._vouch = bounds, vouch
        self._cycle = threading.get_ident()
        self._finished = monotonic()
        self._told_at = bounds.late
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Start watching; the first cycle has the same time as any other."""
        self._finished = monotonic()
        self._thread.start()

    def beat(self) -> None:
        """Record that a cycle has finished."""
        self._finished = monotonic()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def look(self) -> float:
        """The seconds since the last cycle finished; logs it and calls `vouch` as needed."""
        age = monotonic() - self._finished
        if age < self._bounds.stuck:
            self._vouch()
        if age < self._bounds.late:
            if self._told_at > self._bounds.late:
                log.warning("the bid engine resumes: a cycle has finished again")
                self._told_at = self._bounds.late
        elif age >= self._told_at:
            self._told_at = age * 2
            given_up = (
                "; the watchdog no longer notifies the service manager" if age >= self._bounds.stuck else ""
            )
            log.error(
                "the bid engine is stuck: no cycle has finished for %.0f s%s; it is at %s",
                age,
                given_up,
                where(self._cycle),
            )
        return age

    def _watch(self) -> None:
        while True:
            try:
                self.look()
            except Exception:  # a failed check must not end the thread
                log.exception("the watchdog could not check the cycle")
            if self._stop.wait(self._bounds.look):
                return


def where(thread: int) -> str:
    """The innermost calls of a thread on one line, outermost first."""
    frame = sys._current_frames().get(thread)  # the only way to another thread's stack
    if frame is None:
        return "no call: its thread has ended"
    return shown_calls(traceback.extract_stack(frame)[-FRAMES_MAX:])
