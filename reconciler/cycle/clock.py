"""The host's clock, and a wait that any thread may end."""

from __future__ import annotations

import queue
import time

TURN_SECONDS = 0.5
"""Longest delay of a signal that arrives just before a wait starts, as there is no system call to interrupt
yet.
"""


class HostClock:
    """`ports.Clock` of the host; any thread or signal handler may `wake` it, and a wake between waits is
    kept.
    """

    def __init__(self) -> None:
        # A signal handler would deadlock on an Event's lock if its own thread held it. SimpleQueue.put is
        # reentrant.
        self._woken: queue.SimpleQueue[None] = queue.SimpleQueue()

    def now(self) -> int:
        return int(time.time())

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._was_woken(min(left, TURN_SECONDS)):
                return
        self._was_woken(0)

    def wake(self) -> None:
        """End the wait under way, or the next one."""
        if self._woken.empty():
            self._woken.put(None)

    def _was_woken(self, seconds: float) -> bool:
        """Wait so long for a wake, and drain all pending ones."""
        try:
            self._woken.get(timeout=seconds)
        except queue.Empty:
            return False
        while not self._woken.empty():
            self._woken.get()
        return True
