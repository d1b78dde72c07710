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

from reconciler.cycle.exceptions import FRAMES_MAX, format_calls

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WatchdogBounds:
    """Seconds since the last cycle finished: after `late_seconds` it is logged, after `stuck_seconds` the
    service manager is no longer notified.

    `interval_seconds` is the interval of checks; the log line is repeated when the age has doubled.
    """

    late_seconds: float = 120.0
    stuck_seconds: float = 600.0
    interval_seconds: float = 10.0


class Watchdog:
    """Calls `notify` from a separate thread while cycles finish; created by the cycle's thread.

    `beat` is called at the end of each cycle, failed ones included: a loop that retries is not stuck.
    """

    def __init__(self, bounds: WatchdogBounds, notify: Callable[[], None]) -> None:
        self._bounds, self._notify = bounds, notify
        self._cycle = threading.get_ident()
        self._finished = monotonic()
        self._logged_age = bounds.late_seconds
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

    def check(self) -> float:
        """The seconds since the last cycle finished; logs it and calls `notify` as needed."""
        age = monotonic() - self._finished
        if age < self._bounds.stuck_seconds:
            self._notify()
        if age < self._bounds.late_seconds:
            if self._logged_age > self._bounds.late_seconds:
                log.warning("the bid engine resumes: a cycle has finished again")
                self._logged_age = self._bounds.late_seconds
        elif age >= self._logged_age:
            self._logged_age = age * 2
            is_stuck = age >= self._bounds.stuck_seconds
            given_up = (
                "; the service manager is no longer notified and may restart the daemon" if is_stuck else ""
            )
            log.error(
                "the bid engine is stuck: no cycle has finished for %.0f s%s; it is at %s",
                age,
                given_up,
                current_calls(self._cycle),
            )
        return age

    def _watch(self) -> None:
        while True:
            try:
                self.check()
            except Exception:  # a failed check must not end the thread
                log.exception("the watchdog could not check the cycle")
            if self._stop.wait(self._bounds.interval_seconds):
                return


def current_calls(thread: int) -> str:
    """The innermost calls of a thread on one line, outermost first."""
    frame = sys._current_frames().get(thread)  # the only way to another thread's stack
    if frame is None:
        return "no call: its thread has ended"
    return format_calls(traceback.extract_stack(frame)[-FRAMES_MAX:])
