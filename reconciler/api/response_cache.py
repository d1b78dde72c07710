"""Answers as bytes, made once for a snapshot however often they are asked for, in a thread of their own."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.snapshot import Snapshot

KEPT_MAX = 64
"""Answers kept of one snapshot."""

WORTH_ZIPPING_BYTES = 4_096

Make = Callable[[Snapshot], bytes]


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """An answer's bytes, perhaps compressed, with a mark that changes with them."""

    body: bytes
    etag: str
    zipped: bool = False


class ResponseCache:
    """Used on the servers' loop alone."""

    def __init__(self, board: SnapshotStore) -> None:
        self._board = board
        self._of: Snapshot | None = None
        self._prints: OrderedDict[Hashable, asyncio.Future[CachedResponse]] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="answers")

    async def print(self, key: Hashable, make: Make, *, zipped: bool = False) -> CachedResponse:
        """The answer to a question of this key, from the last snapshot; whatever `make` raises."""
        snapshot = self._board.snapshot
        if snapshot is not self._of:
            self._of = snapshot
            self._prints.clear()
        plain = await self._once((key, False), lambda: _printed(make(snapshot)))
        if not zipped or len(plain.body) < WORTH_ZIPPING_BYTES:
            return plain
        return await self._once((plain.etag, True), lambda: _zipped(plain))

    async def _once(self, key: Hashable, make: Callable[[], CachedResponse]) -> CachedResponse:
        found = self._prints.get(key)
        if found is None:
            found = asyncio.get_running_loop().run_in_executor(self._thread, make)
            found.add_done_callback(_look)
            self._prints[key] = found
            if len(self._prints) > KEPT_MAX:
                self._prints.popitem(last=False)
        # One asker who leaves must not take the answer from the others.
        return await asyncio.shield(found)

    def close(self) -> None:
        """Take no more work."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _printed(body: bytes) -> CachedResponse:
    return CachedResponse(body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')


def _zipped(plain: CachedResponse) -> CachedResponse:
    return CachedResponse(gzip.compress(plain.body, 1, mtime=0), f'{plain.etag[:-1]}-z"', zipped=True)


def _look(done: asyncio.Future[CachedResponse]) -> None:
    """An error that nobody waits for any more is no news to the loop."""
    if not done.cancelled():
        done.exception()
