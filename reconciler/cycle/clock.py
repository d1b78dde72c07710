"""The host's clock, and a wait that any thread may end."""

from __future__ import annotations

import queue
import time

TURN_SECONDS = 0.5
"""A signal that comes in the moment before a wait is heard so late: what it would interrupt has not begun."""


class HostClock:
    """`ports.Clock` on the host; any thread or signal handler may `wake` it, and a wake between waits is not
    lost.
    """

    def __init__(self) -> None:
        # An Event's lock would be taken twice where a signal comes while its own thread holds it: a stop that
        # never ends. A SimpleQueue may be put to at any point.
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
        """Wait so long for a wake, and take all there are."""
        try:
            self._woken.get(timeout=seconds)
        except queue.Empty:
            return False
        while not self._woken.empty():
            self._woken.get()
        return True
