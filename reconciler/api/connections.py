"""Accepts connections while there are seats; one that only holds a seat gives it up to the next."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from reconciler.api.connection_limits import (
    ConnectionLimits,
    ConnectionTable,
    OpenConnection,
    client_of,
    is_own,
)

log = logging.getLogger(__name__)

BACKLOG = 512
HANDSHAKE_SECONDS = 10.0
STALLED_SECONDS = 20.0
"""A peer that takes nothing of its answer for so long is cut off."""

SWEEP_SECONDS = 5.0
SEND_BUFFER_BYTES = 512 * 1024
"""What the system holds for a peer that does not read."""

LOOK_SECONDS = 0.1
"""How often a connection that waits for a seat looks for an idle one."""

PATIENCE_SECONDS = 1.0
"""How long a connection of this machine waits for a seat; those behind it wait in the system's queue."""

_WORDS = (
    b'{"error": "as many connections are open as may be at once", "advice": "try again in a few seconds"}\n'
)
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; charset=utf-8\r\n"
    b"Retry-After: 5\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(_WORDS), _WORDS)
)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class TrackedConnection(asyncio.Protocol):
    """A protocol whose peer is cut off when it takes nothing; `left` is done when the connection is."""

    def __init__(
        self, inner: asyncio.Protocol, loop: asyncio.AbstractEventLoop, seat: OpenConnection
    ) -> None:
        self.seat = seat
        self._inner = inner
        self._loop = loop
        self._cut: asyncio.TimerHandle | None = None
        self._closing_sweeps = 0
        self.transport: asyncio.Transport | None = None
        self.left: asyncio.Future[None] = loop.create_future()

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
        self._cut = self._loop.call_later(STALLED_SECONDS, self.transport.abort)
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._cut is not None:
            self._cut.cancel()
        if not self.left.done():
            self.left.set_result(None)
        self._inner.connection_lost(exc)

    def sweep(self) -> None:
        """Cut off a connection that we closed long ago and whose peer does not take the last bytes."""
        if self.transport is not None and self.transport.is_closing():
            self._closing_sweeps += 1
            if self._closing_sweeps * SWEEP_SECONDS > STALLED_SECONDS:
                self.transport.abort()


@web.middleware
async def keep_seat(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Around every request: while it is answered, its connection does not count as idle."""
    protocol = request.transport.get_protocol() if request.transport is not None else None
    if not isinstance(protocol, TrackedConnection):
        return await handler(request)
    seat = protocol.seat
    seat.requests += 1
    try:
        return await handler(request)
    finally:
        seat.requests -= 1
        seat.idle_since = time.monotonic()


class Acceptor:
    """Accepts on sockets that listen; used on the servers' loop alone."""

    def __init__(
        self, protocol: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None, seats: ConnectionLimits
    ) -> None:
        self._protocol = protocol
        self._tls = tls
        self._plan = ConnectionTable(seats)
        self._freed = asyncio.Event()
        self._watched: dict[OpenConnection, TrackedConnection] = {}
        self._accepting: list[asyncio.Task[None]] = []
        self._keeping: dict[OpenConnection, asyncio.Task[None]] = {}

    def start(self, sockets: list[socket.socket]) -> None:
        """Begin to accept."""
        loop = asyncio.get_running_loop()
        self._accepting = [loop.create_task(self._accept(each)) for each in sockets]
        self._accepting.append(loop.create_task(self._sweep()))

    async def stop(self) -> None:
        """Accept no more; the connections that there are go on."""
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)

    async def finish(self) -> None:
        """Cut off the connections that are left."""
        for watched in tuple(self._watched.values()):
            if watched.transport is not None:
                watched.transport.abort()
        keeping = tuple(self._keeping.values())
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)

    async def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                await self._accept_one(listening)
            except OSError as error:
                log.warning("a connection could not be taken: %s", error)
                await asyncio.sleep(0.5)  # out of file descriptors: some come back
            except Exception:  # one connection must not end all that follow
                log.exception("a connection could not be taken")
                await asyncio.sleep(0.5)

    async def _accept_one(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        found, address = await loop.sock_accept(listening)
        client = client_of(str(address[0]))
        if not await self._has_seat(client):
            _turn_away(found, plain=self._tls is None)
            return
        seat = OpenConnection(client, time.monotonic())
        self._plan.taken[seat] = None
        self._keeping[seat] = loop.create_task(self._keep(found, seat))

    async def _has_seat(self, client: str) -> bool:
        """Whether there is a seat: now, or by an idle connection that gives it up; this machine's programs
        also wait for one, others would keep it waiting meanwhile.
        """
        until = time.monotonic() + PATIENCE_SECONDS
        while not self._plan.is_free(client):
            given_up = self._plan.to_give_up(client, time.monotonic())
            left = until - time.monotonic()
            if left <= 0 or (given_up is None and not is_own(client)):
                return False
            if given_up is not None:
                self._cut(given_up)
            self._freed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._freed.wait(), min(left, LOOK_SECONDS))
        return True

    def _cut(self, seat: OpenConnection) -> None:
        """End a connection; it frees its seat as it ends."""
        watched = self._watched.get(seat)
        if watched is not None and watched.transport is not None:
            if self._tls is None:
                watched.transport.write(FULL)  # goes out at once, or not at all
            watched.transport.abort()
        elif seat in self._keeping:  # it has not even finished the TLS handshake
            self._keeping[seat].cancel()

    async def _keep(self, found: socket.socket, seat: OpenConnection) -> None:
        loop = asyncio.get_running_loop()
        watched = TrackedConnection(self._protocol(), loop, seat)
        self._watched[seat] = watched
        seconds = HANDSHAKE_SECONDS if self._tls else None
        try:
            await loop.connect_accepted_socket(
                lambda: watched, found, ssl=self._tls, ssl_handshake_timeout=seconds
            )
            await watched.left
        except (OSError, TimeoutError) as error:
            log.debug("no connection with %s came about: %s", seat.client, error)  # strangers cause these
        finally:
            del self._watched[seat], self._keeping[seat], self._plan.taken[seat]
            self._freed.set()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for watched in tuple(self._watched.values()):
                try:
                    watched.sweep()
                except Exception:  # one connection must not end the sweep of the others
                    log.exception("a connection could not be swept")


def _turn_away(found: socket.socket, *, plain: bool) -> None:
    """Say why, where that can be said without a handshake."""
    with found, contextlib.suppress(OSError):
        if plain:
            found.send(FULL)
            found.shutdown(socket.SHUT_WR)


def listening(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on each address of a host, on one port; OSError."""
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
