"""Logs and events of a lease by websocket (tenant 3.2)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import WSCloseCode, WSMsgType, web

from reconciler.gateway.authentication import Caller
from reconciler.gateway.log_lines import (
    FOLLOWED_LINES,
    TAIL_MAX,
    ContainerLine,
    Follower,
    event_json,
    event_service,
    parsed_lines,
)
from reconciler.gateway.permissions import Scope
from reconciler.gateway.refusals import GatewayRefusal
from reconciler.gateway.requests import (
    BUSY_SECONDS,
    LEASE,
    ConcurrencyLimit,
    LeaseRequest,
    Requests,
    run_bounded,
)
from reconciler.ports import Inspector
from reconciler.runtime.bounded_executor import BoundedExecutor
from reconciler.values.inspection import WorkloadEvent
from reconciler.values.views import WorkloadView

log = logging.getLogger(__name__)
Result = TypeVar("Result")

PING_SECONDS = 10.0
"""The known client gives up after 15 s without a ping, and answers none."""

STREAMS_MAX, STREAMS_OF_ONE_MAX = 256, 4
READ_THREADS, READS_QUEUED, READS_OF_ONE_MAX = 8, 256, 4
FRAMES_MAX = 64
"""Frames that a client may send; it has nothing to say."""

FRAME_MAX_BYTES = 4_096
SEND_SECONDS = 20.0
"""How long a client may take to read a frame."""

FOLLOW_SECONDS = 2.0
COST_FACTOR = 4
"""A follower waits so many times as long as the last read took, so that slow targets are read less often."""

STREAM_SECONDS_MAX = 3_600.0
"""A stream ends then at the latest, as its certificate may have been revoked."""

NO_PODS, UNREACHABLE = 4000, 4002


class StreamClosedError(Exception):
    """Ends a stream with a close code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Lines of these services (empty: all), so many of each container, and whether new ones follow."""

    services: frozenset[str]
    tail: int
    follow: bool

    @classmethod
    def of(cls, request: web.Request) -> LogQuery:
        """Both spellings of the services' parameter; no tail, or -1, is all."""
        query = request.query
        named = query.get("services") or query.get("service") or ""
        try:
            tail = int(query.get("tail", "-1")[:20])
        except ValueError:
            raise GatewayRefusal(422, "tail is not a number") from None
        return cls(
            frozenset(filter(None, named.split(","))),
            min(tail, TAIL_MAX) if tail >= 0 else TAIL_MAX,
            query.get("follow", "").lower() in ("true", "1"),
        )


class LeaseStreams:
    """`GET /lease/.../logs` and `GET /lease/.../kubeevents`, as long as a client listens."""

    def __init__(self, requests: Requests, inspectors: Mapping[str, Inspector]) -> None:
        self._requests = requests
        self._inspectors = inspectors
        self._executor = BoundedExecutor("gateway-reads", READ_THREADS, READS_QUEUED)
        self._of_one = ConcurrencyLimit(STREAMS_OF_ONE_MAX)
        self._reads_of_one = ConcurrencyLimit(READS_OF_ONE_MAX)

    def close(self) -> None:
        """Stop the threads."""
        self._executor.close()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_get(f"{LEASE}/logs", self.logs)
        router.add_get(f"{LEASE}/kubeevents", self.events)

    async def logs(self, request: web.Request) -> web.StreamResponse:
        """Each line a text frame of JSON."""
        found = await self._requests.about_lease(request, Scope.LOGS, "lease not found")
        lines = self.lines(found, LogQuery.of(request))
        return await self.serve(request, found.caller, (line.to_json() async for line in lines))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Each event a text frame of JSON, oldest first."""
        found = await self._requests.about_lease(request, Scope.EVENTS, "lease not found")
        follow = LogQuery.of(request).follow
        return await self.serve(request, found.caller, self._events(found, follow=follow))

    async def lines(self, found: LeaseRequest, query: LogQuery) -> AsyncIterator[ContainerLine]:
        """The lines that a query asks for; StreamClosedError."""

        def permits(service: str) -> bool:
            is_named = not query.services or service in query.services
            return is_named and found.permits(Scope.LOGS, service)

        follower, count = Follower(), max(query.tail, FOLLOWED_LINES if query.follow else 0)
        while True:
            began = time.monotonic()
            for line in follower.new(await self.read_lines(found.workload, count, permits), query.tail):
                yield line
            if not query.follow:
                return
            count = FOLLOWED_LINES
            await self._pause(began, found)

    async def read_lines(
        self, workload: WorkloadView, tail: int, permits: Callable[[str], bool]
    ) -> list[ContainerLine]:
        """The last lines of each container of the permitted services; StreamClosedError."""
        return await self._read(
            workload, lambda inspector: list(parsed_lines(inspector.logs(workload.id, tail), permits))
        )

    async def _events(self, found: LeaseRequest, *, follow: bool) -> AsyncIterator[str]:
        shown: set[WorkloadEvent] = set()
        while True:
            began = time.monotonic()
            events = await self._read(
                found.workload, lambda inspector: inspector.events(found.workload.id).listed
            )
            for event in reversed(events):
                service = event_service(event, found.workload.id)
                if event not in shown and found.permits(Scope.EVENTS, service):
                    yield event_json(event)
            shown = set(events)
            if not follow:
                return
            await self._pause(began, found)

    async def serve(
        self, request: web.Request, caller: Caller, frames: AsyncIterator[str]
    ) -> web.WebSocketResponse:
        """Send frames until they end, the client closes, its credentials expire, or a limit is reached."""
        owner = caller.owner
        counters, socket = (
            self._requests.counters,
            web.WebSocketResponse(timeout=2.0, compress=False, max_msg_size=FRAME_MAX_BYTES),
        )
        if not socket.can_prepare(request).ok:
            raise GatewayRefusal(400, "this route is for websockets", about=owner)
        if counters.streams >= STREAMS_MAX:
            message = "too many streams are open; retry later"
            raise GatewayRefusal(503, message, retry_seconds=BUSY_SECONDS, about=owner)
        with self._of_one.entered(owner):
            counters.streams += 1
            try:
                await socket.prepare(request)
                end = asyncio.sleep(min(STREAM_SECONDS_MAX, self._requests.seconds_left(caller)))
                await _first_of(self._send(socket, frames), _ping(socket), _drain(socket), end)
                await socket.close(code=WSCloseCode.OK, message=b"reconnect to go on")
            finally:
                counters.streams -= 1
        return socket

    async def _send(self, socket: web.WebSocketResponse, frames: AsyncIterator[str]) -> None:
        code, reason = int(WSCloseCode.OK), ""
        try:
            async for frame in frames:
                async with asyncio.timeout(SEND_SECONDS):
                    await socket.send_str(frame)
        except StreamClosedError as closed:
            code, reason = closed.code, str(closed)
        except GatewayRefusal as refusal:
            code, reason = int(WSCloseCode.TRY_AGAIN_LATER), refusal.message
        await socket.close(code=code, message=reason.encode())

    async def _pause(self, began: float, found: LeaseRequest) -> None:
        """Wait before the next read; StreamClosedError if the lease has ended or its owner lost access."""
        await asyncio.sleep(max(FOLLOW_SECONDS, COST_FACTOR * (time.monotonic() - began)))
        if self._requests.leases.find(found.lease) is None:
            raise StreamClosedError(int(WSCloseCode.OK), "the lease has ended")

    async def _read(self, workload: WorkloadView, read: Callable[[Inspector], Result]) -> Result:
        try:
            inspector = self._inspectors[workload.adapter]
            with self._reads_of_one.entered(workload.lease.partition("/")[0]):
                return await run_bounded(self._executor, lambda: read(inspector))
        except KeyError:
            raise StreamClosedError(NO_PODS, "no running pods") from None
        except OSError as error:
            log.info("a tenant's request about %s failed: %s", workload.id, error)
            if not workload.replicas_ready:
                raise StreamClosedError(NO_PODS, "no running pods") from error
            raise StreamClosedError(UNREACHABLE, "cluster unreachable") from error


async def _ping(socket: web.WebSocketResponse) -> None:
    while True:
        await asyncio.sleep(PING_SECONDS)
        await socket.ping()


async def _drain(socket: web.WebSocketResponse) -> None:
    """Until the client closes, or sends too much."""
    for _ in range(FRAMES_MAX):
        message = await socket.receive()
        if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
            return
    await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too many frames")


async def _first_of(*parts: object) -> None:
    """Run until one ends; the others are cancelled. A lost connection is an end."""
    tasks = [asyncio.ensure_future(part) for part in parts]  # type: ignore[call-overload]  # coroutines
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError, ConnectionError, TimeoutError):
                await task
