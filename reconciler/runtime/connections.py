"""Accepts connections within the limits; idle ones are closed when others wait."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from reconciler.runtime.connection_limits import (
    ConnectionLimits,
    ConnectionTable,
    OpenConnection,
    client_of,
    is_local,
)

log = logging.getLogger(__name__)

BACKLOG = 512
HANDSHAKE_SECONDS = 10.0
STALLED_SECONDS = 20.0
"""A peer that reads nothing of its response for so long is disconnected."""

SWEEP_SECONDS = 5.0
SEND_BUFFER_BYTES = 512 * 1024
"""Kernel send buffer of a connection."""

RETRY_SECONDS = 0.1
"""How often an idle connection is searched for and closed while a new one waits."""

WAIT_SECONDS = 1.0
"""How long a local connection waits; those behind it wait in the system's backlog."""

_BODY = b'{"error": "too many connections are open", "advice": "try again in a few seconds"}\n'
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; charset=utf-8\r\n"
    b"Retry-After: 5\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class TrackedConnection(asyncio.Protocol):
    """Disconnects a peer that reads nothing; `closed` completes when the connection is lost."""

    def __init__(
        self, inner: asyncio.Protocol, loop: asyncio.AbstractEventLoop, record: OpenConnection
    ) -> None:
        self.record = record
        self._inner = inner
        self._loop = loop
        self._stall_timer: asyncio.TimerHandle | None = None
        self._closing_sweeps = 0
        self.transport: asyncio.Transport | None = None
        self.closed: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "only streams are accepted"
        self.transport = transport
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        assert self.transport is not None, "a transport pauses its protocol"
        self._stall_timer = self._loop.call_later(STALLED_SECONDS, self.transport.abort)
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        if not self.closed.done():
            self.closed.set_result(None)
        self._inner.connection_lost(exc)

    def sweep(self) -> None:
        """Disconnect a peer that does not read the last bytes of a closed connection."""
        if self.transport is not None and self.transport.is_closing():
            self._closing_sweeps += 1
            if self._closing_sweeps * SWEEP_SECONDS > STALLED_SECONDS:
                self.transport.abort()


@web.middleware
async def track_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Mark the connection as in use while a request is in progress."""
    protocol = request.transport.get_protocol() if request.transport is not None else None
    if not isinstance(protocol, TrackedConnection):
        return await handler(request)
    connection = protocol.record
    connection.requests += 1
    try:
        return await handler(request)
    finally:
        connection.requests -= 1
        connection.idle_since = time.monotonic()


class Listener:
    """Accepts connections on listening sockets; used on the servers' event loop only."""

    def __init__(
        self,
        protocol: Callable[[], asyncio.Protocol],
        tls: ssl.SSLContext | None,
        limits: ConnectionLimits,
        idle_seconds: float | None = None,
    ) -> None:
        """`idle_seconds`: how long a connection may stay open without a request in progress (None: as long as
        there is room).
        """
        self._protocol = protocol
        self._idle_seconds = idle_seconds
        self._tls = tls
        self._table = ConnectionTable(limits)
        self._closed_one = asyncio.Event()
        self._tracked: dict[OpenConnection, TrackedConnection] = {}
        self._accepting: list[asyncio.Task[None]] = []
        self._serving: dict[OpenConnection, asyncio.Task[None]] = {}

    @property
    def connections(self) -> int:
        """Open ones."""
        return len(self._table.open)

    def start(self, sockets: list[socket.socket]) -> None:
        """Start accepting."""
        loop = asyncio.get_running_loop()
        self._accepting = [loop.create_task(self._accept(each)) for each in sockets]
        self._accepting.append(loop.create_task(self._sweep()))

    async def stop(self) -> None:
        """Stop accepting; open connections continue."""
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)

    async def finish(self) -> None:
        """Disconnect the remaining connections."""
        for tracked in tuple(self._tracked.values()):
            if tracked.transport is not None:
                tracked.transport.abort()
        serving = tuple(self._serving.values())
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                await self._accept_one(listening)
            except OSError as error:
                log.warning("a connection could not be accepted: %s", error)
                await asyncio.sleep(0.5)  # out of file descriptors: some are released soon
            except Exception:  # one connection must not stop the listener
                log.exception("a connection could not be accepted")
                await asyncio.sleep(0.5)

    async def _accept_one(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        found, address = await loop.sock_accept(listening)
        client = client_of(str(address[0]))
        if not await self._has_room(client):
            _reject(found, plain=self._tls is None)
            return
        record = OpenConnection(client, time.monotonic())
        self._table.open[record] = None
        self._serving[record] = loop.create_task(self._serve(found, record))

    async def _has_room(self, client: str) -> bool:
        """Whether one more connection may be served, now or after an idle one is closed. Only local clients
        wait for that, as remote ones would keep them waiting.
        """
        until = time.monotonic() + WAIT_SECONDS
        while not self._table.has_room(client):
            to_close = self._table.to_close(client, time.monotonic())
            left = until - time.monotonic()
            if left <= 0 or (to_close is None and not is_local(client)):
                return False
            if to_close is not None:
                self._close(to_close)
            self._closed_one.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed_one.wait(), min(left, RETRY_SECONDS))
        return True

    def _close(self, record: OpenConnection) -> None:
        """Disconnect; the connection leaves the table as it ends."""
        tracked = self._tracked.get(record)
        if tracked is not None and tracked.transport is not None:
            if self._tls is None:
                tracked.transport.write(FULL)  # sent at once, or not at all
            tracked.transport.abort()
        elif record in self._serving:  # still in the TLS handshake
            self._serving[record].cancel()

    async def _serve(self, found: socket.socket, record: OpenConnection) -> None:
        loop = asyncio.get_running_loop()
        tracked = TrackedConnection(self._protocol(), loop, record)
        self._tracked[record] = tracked
        seconds = HANDSHAKE_SECONDS if self._tls else None
        try:
            await loop.connect_accepted_socket(
                lambda: tracked, found, ssl=self._tls, ssl_handshake_timeout=seconds
            )
            await tracked.closed
        except (OSError, TimeoutError) as error:
            log.debug("the connection of %s failed: %s", record.client, error)  # anyone can cause these
        finally:
            del self._tracked[record], self._serving[record], self._table.open[record]
            self._closed_one.set()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for tracked in tuple(self._tracked.values()):
                try:
                    tracked.sweep()
                    self._close_idle(tracked.record)
                except Exception:  # one connection must not stop the sweep of the others
                    log.exception("a connection could not be swept")

    def _close_idle(self, record: OpenConnection) -> None:
        seconds = self._idle_seconds
        if seconds is not None and not record.requests and time.monotonic() - record.idle_since > seconds:
            self._close(record)


def _reject(found: socket.socket, *, plain: bool) -> None:
    """Close with a response, if no TLS handshake is needed for that."""
    with found, contextlib.suppress(OSError):
        if plain:
            found.send(FULL)
            found.shutdown(socket.SHUT_WR)


def listening_sockets(host: str, port: int) -> list[socket.socket]:
    """Sockets listening on every address of a host, on one port; OSError."""
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            made = socket.socket(family, kind, protocol)
            sockets.append(made)
            made.setblocking(False)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            where = (
                address[0],
                sockets[0].getsockname()[1] if port == 0 and len(sockets) > 1 else address[1],
            )
            made.bind((*where, *address[2:]))
            made.listen(BACKLOG)
    except OSError:
        for made in sockets:
            made.close()
        raise
    return sockets
