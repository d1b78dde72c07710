"""Caches response bodies per snapshot; a separate thread renders them."""

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

ENTRIES_MAX = 64
"""Maximum number of responses per snapshot."""

GZIP_MIN_BYTES = 4_096

Render = Callable[[Snapshot], bytes]


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A body, optionally compressed, and its entity tag."""

    body: bytes
    etag: str
    gzipped: bool = False


class ResponseCache:
    """Used on the servers' event loop only."""

    def __init__(self, snapshots: SnapshotStore) -> None:
        self._snapshots = snapshots
        self._snapshot: Snapshot | None = None
        self._entries: OrderedDict[Hashable, asyncio.Future[CachedResponse]] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="responses")

    async def get(self, key: Hashable, render: Render, *, gzipped: bool = False) -> CachedResponse:
        """The response of this key for the latest snapshot; raises what `render` raises."""
        snapshot = self._snapshots.snapshot
        if snapshot is not self._snapshot:
            self._snapshot = snapshot
            self._entries.clear()
        plain = await self._once((key, False), lambda: _tagged(render(snapshot)))
        if not gzipped or len(plain.body) < GZIP_MIN_BYTES:
            return plain
        return await self._once((plain.etag, True), lambda: _compressed(plain))

    async def _once(self, key: Hashable, make: Callable[[], CachedResponse]) -> CachedResponse:
        entry = self._entries.get(key)
        if entry is None:
            entry = asyncio.get_running_loop().run_in_executor(self._thread, make)
            entry.add_done_callback(_retrieve_error)
            self._entries[key] = entry
            if len(self._entries) > ENTRIES_MAX:
                self._entries.popitem(last=False)
        # Shielded: one client that disconnects must not cancel it for the others.
        return await asyncio.shield(entry)

    def close(self) -> None:
        """Reject new requests."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _tagged(body: bytes) -> CachedResponse:
    return CachedResponse(body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')


def _compressed(plain: CachedResponse) -> CachedResponse:
    return CachedResponse(gzip.compress(plain.body, 1, mtime=0), f'{plain.etag[:-1]}-z"', gzipped=True)


def _retrieve_error(done: asyncio.Future[CachedResponse]) -> None:
    """Keeps asyncio from logging the error of a response that no client awaits."""
    if not done.cancelled():
        done.exception()
