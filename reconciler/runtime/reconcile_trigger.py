"""Wakes the loop when somebody asks: seldom, however often that is."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

log = logging.getLogger(__name__)

QUIET_SECONDS = 1.0
"""Who asks sooner after the last time is heard when this has passed."""


class ReconcileTrigger:
    """`ring` leaves a request for the loop and wakes it; it may wait on the disk, and raises OSError or
    `journal.faults.JournalError` where it cannot. Used on the servers' loop alone.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bell")
        self._rung_at = -QUIET_SECONDS
        self._later: asyncio.Task[None] | None = None

    async def ask(self) -> None:
        """Returns when the request is kept, or is sure to be made within a second."""
        wait = self._rung_at + QUIET_SECONDS - time.monotonic()
        if wait <= 0:
            await self._now()
        elif self._later is None or self._later.done():
            self._later = asyncio.get_running_loop().create_task(self._after(wait))

    def close(self) -> None:
        """Ring no more."""
        if self._later is not None:
            self._later.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _now(self) -> None:
        self._rung_at = time.monotonic()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._ring)

    async def _after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        try:
            await self._now()
        except Exception:
            log.exception("the loop could not be woken")
