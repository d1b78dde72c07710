"""The overview after each cycle as server-sent events; a slow client skips to the latest."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from aiohttp import web

from reconciler.api.response_cache import ResponseCache
from reconciler.api.responses import HEADERS, ApiResponse, error_response
from reconciler.api.routes.routing import ParsedRequest, Route, StreamHandler
from reconciler.reports.provider_view import OverviewView
from reconciler.reports.view_json import view_json
from reconciler.runtime.connection_limits import client_of, is_local
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.snapshot import Snapshot

LISTENERS_MAX, LISTENERS_PER_CLIENT = 32, 8
HEARTBEAT_SECONDS = 15.0
"""Keeps proxies from closing the connection, and detects disconnected clients."""

INTERVAL_SECONDS = 1.0
"""Minimum interval between two events."""

EVENTS = "text/event-stream"
Overview = Callable[[Snapshot], OverviewView]


class EventStream:
    """Used on the servers' event loop only, except for `_notify`."""

    def __init__(self, snapshots: SnapshotStore, cache: ResponseCache, overview: Overview) -> None:
        self._cache = cache
        self._overview = overview
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._listeners: Counter[str] = Counter()
        self._closed = False
        snapshots.subscribe(self._notify)

    def routes(self) -> tuple[Route, ...]:
        """The route of the stream."""
        summary = (
            "The overview after each cycle, as server-sent events; after the first event, `money_history` "
            "has the newest point only."
        )
        errors = {503: "Too many streams are open."}
        return (Route("get", "/api/v1/stream", summary, EVENTS, self.listen, errors=errors),)

    async def listen(self, request: ParsedRequest) -> ApiResponse | StreamHandler:
        client = client_of(request.raw.remote or "")
        limit = LISTENERS_MAX if is_local(client) else LISTENERS_PER_CLIENT
        if self._listeners.total() >= LISTENERS_MAX or self._listeners[client] >= limit:
            return error_response(503, f"{limit} streams are open", "close one, or use /api/v1/overview")
        self._loop = asyncio.get_running_loop()
        return self._stream

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        self._wake()

    def _notify(self) -> None:
        """Wake the streams for a new snapshot; any thread."""
        loop = self._loop
        if loop is not None and self._listeners and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        headers = {**HEADERS, "Content-Type": EVENTS, "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        client = client_of(request.remote or "")
        self._listeners[client] += 1
        try:
            await response.prepare(request)
            await self._send_all(response)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client disconnected
        finally:
            self._listeners -= Counter((client,))  # drops counts of zero
        return response

    async def _send_all(self, response: web.StreamResponse) -> None:
        await response.write(b"retry: 2000\n\n")
        sent = ""
        while not self._closed:
            changed, began = self._changed, time.monotonic()
            found = await self._cache.get(("stream", not sent), self._update if sent else self._first)
            if found.etag != sent:
                await response.write(b"event: overview\ndata: " + found.body + b"\n\n")
                sent = found.etag
            try:
                await asyncio.wait_for(changed.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                await response.write(b": heartbeat\n\n")
            await asyncio.sleep(0 if self._closed else max(INTERVAL_SECONDS - (time.monotonic() - began), 0))

    def _first(self, snapshot: Snapshot) -> bytes:
        return view_json(self._overview(snapshot))

    def _update(self, snapshot: Snapshot) -> bytes:
        view = self._overview(snapshot)
        return view_json(replace(view, money_history=view.money_history[-1:]))
