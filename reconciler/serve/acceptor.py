"""Connections of one address: so many at once, none that only holds a seat."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

BACKLOG = 512
HANDSHAKE_SECONDS = 10.0
STALLED_SECONDS = 20.0
"""A peer that takes nothing of its answer for so long is cut off."""

SWEEP_SECONDS = 5.0
SEND_BUFFER_BYTES = 512 * 1024
"""What the system holds for a peer that does not read."""

PATIENCE_SECONDS = 1.0
"""How long a connection waits for a seat while all are taken; those behind it wait in the system's queue."""

_WORDS = (
    b'{"error": "as many connections are open as may be at once", "advice": "try again in a few seconds"}\n'
)
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; charset=utf-8\r\n"
    b"Retry-After: 5\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(_WORDS), _WORDS)
)


@dataclass(frozen=True, slots=True)
class Seats:
    """Connections at once: in all (others wait for one that ends), and of one peer (others are refused)."""

    in_all: int = 256
    of_one_peer: int | None = None


class Watched(asyncio.Protocol):
    """A protocol whose peer is cut off when it takes nothing; `left` is done when the connection is."""

    def __init__(self, inner: asyncio.Protocol, loop: asyncio.AbstractEventLoop) -> None:
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


class Acceptor:
    """Accepts on sockets that listen; used on the servers' loop alone."""

    def __init__(
        self, protocol: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None, seats: Seats
    ) -> None:
        self._protocol = protocol
        self._tls = tls
        self._seats = seats
        self._taken: Counter[str] = Counter()
        self._freed = asyncio.Event()
        self._watched: set[Watched] = set()
        self._accepting: list[asyncio.Task[None]] = []
        self._keeping: set[asyncio.Task[None]] = set()

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
        for watched in tuple(self._watched):
            if watched.transport is not None:
                watched.transport.abort()
        for task in tuple(self._keeping):
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)

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
        peer = str(address[0])
        if self._has_its_share(peer) or not await self._has_seat():
            _turn_away(found, plain=self._tls is None)
            return
        self._taken[peer] += 1
        task = loop.create_task(self._keep(found, peer))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    def _has_its_share(self, peer: str) -> bool:
        most = self._seats.of_one_peer
        return most is not None and self._taken[peer] >= most

    async def _has_seat(self) -> bool:
        """Whether there is a seat, now or within a second."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self._taken.total() >= self._seats.in_all:
            self._freed.clear()
            try:
                await asyncio.wait_for(self._freed.wait(), max(until - time.monotonic(), 0))
            except TimeoutError:
                return False
        return True

    async def _keep(self, found: socket.socket, peer: str) -> None:
        loop = asyncio.get_running_loop()
        watched = Watched(self._protocol(), loop)
        self._watched.add(watched)
        seconds = HANDSHAKE_SECONDS if self._tls else None
        try:
            await loop.connect_accepted_socket(
                lambda: watched, found, ssl=self._tls, ssl_handshake_timeout=seconds
            )
            await watched.left
        except (OSError, TimeoutError) as error:
            log.info("no connection with %s came about: %s", peer, error)
        finally:
            self._watched.discard(watched)
            self._taken[peer] -= 1
            if not self._taken[peer]:
                del self._taken[peer]
            self._freed.set()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for watched in tuple(self._watched):
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
