"""Ends the loop's wait for events that come in bursts: at once for the first, then for many together."""

from __future__ import annotations

import threading
import time

from reconciler.ports import Wake


class ThrottledWake:
    """Calls `wake` at most once per interval, and never loses the last event; callable from any thread.

    Results and changes of a rollout come by the hundred; a cycle for each would take the processor from the
    threads that bring them about.
    """

    def __init__(self, wake: Wake, interval_seconds: float = 0.5) -> None:
        self._wake, self._interval_seconds = wake, interval_seconds
        self._lock = threading.Lock()
        self._woken_at = float("-inf")
        self._is_due = False

    def __call__(self) -> None:
        """An event; the loop wakes now, or when the interval has passed."""
        with self._lock:
            if self._is_due:
                return
            wait = self._woken_at + self._interval_seconds - time.monotonic()
            if wait > 0:
                self._is_due = True
                timer = threading.Timer(wait, self._fire)
                timer.daemon = True
                timer.start()
                return
            self._woken_at = time.monotonic()
        self._wake()

    def _fire(self) -> None:
        with self._lock:
            self._is_due, self._woken_at = False, time.monotonic()
        self._wake()
