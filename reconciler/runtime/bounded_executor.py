"""Questions that may wait on the machines or the disk: in a few threads of their own, bounded in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

SECONDS_MAX = 20.0
AT_ONCE = 4
LOG_BYTES_MAX = 4 * 1024 * 1024

Answer = TypeVar("Answer")


class ExecutorBusyError(Exception):
    """As much is being read as we read at once."""


class BoundedExecutor:
    """Asks without ever holding up the servers' loop; so many at once, and no queue."""

    def __init__(self, name: str, at_once: int = AT_ONCE) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=name)
        self._seats = threading.Semaphore(at_once)

    async def ask(self, read: Callable[[threading.Event], Answer]) -> Answer:
        """What `read` gives; it is told by an event when nobody waits any more.

        DeskBusyError, TimeoutError after 20 seconds, or what `read` raises.
        """
        if not self._seats.acquire(blocking=False):
            raise ExecutorBusyError
        gone = threading.Event()
        work = self._threads.submit(read, gone)
        work.add_done_callback(lambda _: self._seats.release())
        try:
            return await asyncio.wait_for(asyncio.wrap_future(work), SECONDS_MAX)
        finally:
            gone.set()

    def close(self) -> None:
        """Take no more work; readers that hang are left behind."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def collect(pieces: Iterator[bytes], gone: threading.Event) -> bytes:
    """A log's pieces as one text, cut at 4 MiB."""
    found = bytearray()
    for piece in pieces:
        found += piece
        if gone.is_set():
            break
        if len(found) > LOG_BYTES_MAX:
            return bytes(found[:LOG_BYTES_MAX]) + b"\n(cut here: ask for fewer lines with ?tail=)\n"
    return bytes(found)
