"""Wakes the loop on request, at most once a second."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
"""Minimum interval between two wake-ups; an earlier request is delayed."""


class ReconcileTrigger:
    """`wake` stores a request for the loop and wakes it; it may block on the disk, and raises OSError or
    `journal.errors.JournalError`. Used on the servers' event loop only.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reconcile-trigger")
        self._woken_at = -INTERVAL_SECONDS
        self._delayed: asyncio.Task[None] | None = None

    async def request(self) -> None:
        """Returns once the request is stored, or is due within a second."""
        wait = self._woken_at + INTERVAL_SECONDS - time.monotonic()
        if wait <= 0:
            await self._wake_now()
        elif self._delayed is None or self._delayed.done():
            self._delayed = asyncio.get_running_loop().create_task(self._wake_after(wait))

    def close(self) -> None:
        """Cancel a delayed request."""
        if self._delayed is not None:
            self._delayed.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _wake_now(self) -> None:
        self._woken_at = time.monotonic()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._wake)

    async def _wake_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        try:
            await self._wake_now()
        except Exception:
            log.exception("the loop could not be woken")
