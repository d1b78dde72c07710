"""Runs blocking functions for an event loop: few threads, a bounded queue, a timeout."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

TIMEOUT_SECONDS = 20.0
THREADS = 4
LOG_BYTES_MAX = 4 * 1024 * 1024

Result = TypeVar("Result")


class ExecutorBusyError(Exception):
    """Every thread is in use, and the queue is full."""


class BoundedExecutor:
    """Runs blocking functions for an event loop without blocking it; `queued` of them may wait."""

    def __init__(
        self, name: str, threads: int = THREADS, queued: int = 0, timeout_seconds: float | None = None
    ) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threading.Semaphore(threads + queued)
        self._timeout_seconds = TIMEOUT_SECONDS if timeout_seconds is None else timeout_seconds

    async def run(self, read: Callable[[threading.Event], Result]) -> Result:
        """Run `read`; the event in its argument is set once no client awaits the result.

        Raises ExecutorBusyError, TimeoutError after the time-out (20 s), or what `read` raises.
        """
        if not self._free.acquire(blocking=False):
            raise ExecutorBusyError
        gone = threading.Event()
        work = self._threads.submit(read, gone)
        work.add_done_callback(lambda _: self._free.release())
        try:
            return await asyncio.wait_for(asyncio.wrap_future(work), self._timeout_seconds)
        finally:
            gone.set()

    def close(self) -> None:
        """Reject new reads; hanging reads are abandoned."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def collect(chunks: Iterator[bytes], gone: threading.Event) -> bytes:
    """The chunks of a log as one text, truncated at 4 MiB."""
    found = bytearray()
    for chunk in chunks:
        found += chunk
        if gone.is_set():
            break
        if len(found) > LOG_BYTES_MAX:
            return bytes(found[:LOG_BYTES_MAX]) + b"\n(truncated: request fewer lines with ?tail=)\n"
    return bytes(found)
