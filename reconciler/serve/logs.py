"""A workload's logs: read in a few threads of their own, bounded in lines, bytes and time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from reconciler.values.snapshot import WorkloadSnapshot

LogReader = Callable[[WorkloadSnapshot, int], Iterator[bytes]]
"""Gives the last so many lines of a workload; OSError with a sentence where it cannot."""

TAIL_DEFAULT = 1_000
TAIL_MAX = 10_000
BYTES_MAX = 4 * 1024 * 1024
SECONDS_MAX = 20.0
AT_ONCE = 4


class LogsBusy(Exception):  # noqa: N818 - named as the sentence that it is
    """As many logs as we read at once are being read."""


class LogDesk:
    """Reads logs for the HTTP API without ever holding up its loop."""

    def __init__(self, read: LogReader) -> None:
        self._read = read
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="logs")
        self._seats = threading.Semaphore(AT_ONCE)

    async def tail(self, workload: WorkloadSnapshot, lines: int) -> bytes:
        """The last lines; LogsBusy, TimeoutError, or OSError with the reader's sentence."""
        if not self._seats.acquire(blocking=False):
            raise LogsBusy
        gone = threading.Event()
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._collect, workload, lines, gone)
        try:
            return await asyncio.wait_for(work, SECONDS_MAX)
        finally:
            gone.set()

    def _collect(self, workload: WorkloadSnapshot, lines: int, gone: threading.Event) -> bytes:
        try:
            found = bytearray()
            for piece in self._read(workload, lines):
                found += piece
                if gone.is_set():
                    break
                if len(found) > BYTES_MAX:
                    return bytes(found[:BYTES_MAX]) + b"\n(cut here: ask for fewer lines with ?tail=)\n"
            return bytes(found)
        finally:
            self._seats.release()

    def close(self) -> None:
        """Take no more work; readers that hang are left behind."""
        self._threads.shutdown(wait=False, cancel_futures=True)
