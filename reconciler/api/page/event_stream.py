"""The page's news: each new snapshot to all who listen, as server-sent events; who is slow gets the last."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from aiohttp import web

from reconciler.api.connection_limits import client_of, is_own
from reconciler.api.response_cache import ResponseCache
from reconciler.api.responses import HEADERS, Reply, refused
from reconciler.api.routes.routing import Lasting, ParsedRequest, Route
from reconciler.api.views.schemas_page import OverviewAnswer
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.snapshot import Snapshot

LISTENERS_MAX, OF_ONE_CLIENT = 32, 8
HEARTBEAT_SECONDS = 15.0
"""Proxies cut what is silent for long, and we learn who has left."""

PAUSE_SECONDS = 1.0
"""Between two events at least."""

EVENTS = "text/event-stream"
Overview = Callable[[Snapshot], OverviewAnswer]


class EventStream:
    """Used on the servers' loop alone, but for `tell`."""

    def __init__(self, board: SnapshotStore, press: ResponseCache, overview: Overview) -> None:
        self._press = press
        self._overview = overview
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._listeners: Counter[str] = Counter()
        self._closed = False
        board.tell(self._tell)

    def routes(self) -> tuple[Route, ...]:
        """One."""
        words = (
            "The overview after each cycle, as server-sent events; after the first, `course` holds the "
            "newest point alone."
        )
        refusals = {503: "As many listen as may at once."}
        return (Route("get", "/api/v1/stream", words, EVENTS, self.listen, refusals=refusals),)

    async def listen(self, asked: ParsedRequest) -> Reply | Lasting:
        client = client_of(asked.request.remote or "")
        most = LISTENERS_MAX if is_own(client) else OF_ONE_CLIENT
        if self._listeners.total() >= LISTENERS_MAX or self._listeners[client] >= most:
            return refused(503, f"{most} pages listen already", "close one, or ask /api/v1/overview")
        self._loop = asyncio.get_running_loop()
        return self._last

    def close(self) -> None:
        """Let every listener go."""
        self._closed = True
        self._wake()

    def _tell(self) -> None:
        """There is a new snapshot; any thread."""
        loop = self._loop
        if loop is not None and self._listeners and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _last(self, request: web.Request) -> web.StreamResponse:
        headers = {**HEADERS, "Content-Type": EVENTS, "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        client = client_of(request.remote or "")
        self._listeners[client] += 1
        try:
            await response.prepare(request)
            await self._send_all(response)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the listener has left
        finally:
            self._listeners -= Counter((client,))  # drops a count of none
        return response

    async def _send_all(self, response: web.StreamResponse) -> None:
        await response.write(b"retry: 2000\n\n")
        sent = ""
        while not self._closed:
            news, began = self._news, time.monotonic()
            found = await self._press.print(("stream", not sent), self._later if sent else self._first)
            if found.etag != sent:
                await response.write(b"event: overview\ndata: " + found.body + b"\n\n")
                sent = found.etag
            try:
                await asyncio.wait_for(news.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                await response.write(b": still here\n\n")
            await asyncio.sleep(0 if self._closed else max(PAUSE_SECONDS - (time.monotonic() - began), 0))

    def _first(self, snapshot: Snapshot) -> bytes:
        return self._overview(snapshot).model_dump_json().encode()

    def _later(self, snapshot: Snapshot) -> bytes:
        whole = self._overview(snapshot)
        return whole.model_copy(update={"course": whole.course[-1:]}).model_dump_json().encode()
