"""The host's clock, and a wait that any thread may end."""

from __future__ import annotations

import threading
import time


class HostClock:
    """`ports.Clock` on the host; any thread may `wake` it, and a wake between waits is not lost."""

    def __init__(self) -> None:
        self._woken = threading.Event()

    def now(self) -> int:
        return int(time.time())

    def wait(self, seconds: float) -> None:
        self._woken.wait(seconds)
        self._woken.clear()

    def wake(self) -> None:
        """End the wait under way, or the next one."""
        self._woken.set()
