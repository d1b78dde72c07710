"""The tenants' listener: its own port, thread and event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from reconciler.gateway.app import GatewayApp
from reconciler.gateway.counters import GatewayCollector
from reconciler.gateway.sources import GatewaySources
from reconciler.gateway.tls import ServerCertificate, ServerCertificateError
from reconciler.gateway.tokens import TOKEN_MAX_CHARACTERS
from reconciler.runtime.connection_limits import ConnectionLimits
from reconciler.runtime.connections import Listener, listening_sockets, track_request
from reconciler.values.listen_address import ListenAddress
from reconciler.values.observed import Trouble

log = logging.getLogger(__name__)
wire_log = logging.getLogger("reconciler.gateway.wire")
"""The HTTP library's log."""

KEEPALIVE_SECONDS = 30.0
STOP_SECONDS = 5.0
LINGER_SECONDS = 2.0
IDLE_SECONDS = 20.0
"""How long a connection may take to send the head of a request."""

HEADERS_MAX = 64
LINE_MAX_BYTES = 4_096
RELOAD_SECONDS = 5.0


class GatewayError(Exception):
    """The listener cannot start; the message has its address and what to do."""


@dataclass(frozen=True, slots=True)
class GatewayListen:
    """Address and limits of the listener."""

    address: ListenAddress
    hostname: str = ""
    connections: int = 512
    connections_per_client: int = 32
    requests_per_minute: int = 240


def is_fault_of_ours(record: logging.LogRecord) -> bool:
    """False for malformed HTTP and lost connections, with which anyone could fill the log."""
    return not (record.exc_info and isinstance(record.exc_info[1], (HttpProcessingError, ConnectionError)))


wire_log.addFilter(is_fault_of_ours)


class GatewayServer:
    """A running listener; `bound` is its actual address. Nothing in it waits for the cycle, nor the cycle for
    it.
    """

    def __init__(
        self, sources: GatewaySources, listen: GatewayListen, certificate: ServerCertificate
    ) -> None:
        self._sources = sources
        self._certificate = certificate
        hostname = listen.hostname or next(iter(certificate.names), "")
        self._routes = GatewayApp(sources, hostname, listen.requests_per_minute)
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self._bind(listen))
        self._thread = threading.Thread(target=self._loop.run_forever, name="gateway", daemon=True)
        self._thread.start()
        log.info("tenants are served on %s", self.bound)
        if (trouble := self.trouble()) is not None:
            log.error("%s: %s; %s", trouble.reason, trouble.message, trouble.advice)

    def trouble(self) -> Trouble | None:
        """What is wrong with its certificate."""
        return self._certificate.trouble(self._sources.now())

    @property
    def certificate_expires_at(self) -> int:
        """Unix seconds."""
        return self._certificate.expires_at

    def collector(self) -> GatewayCollector:
        """Its metrics."""
        return GatewayCollector(
            self._sources.counters, lambda: self._listener.connections, lambda: self._sources.lookup.queries
        )

    def stop(self) -> None:
        """Finish requests within five seconds and release the port; idempotent."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _bind(self, listen: GatewayListen) -> None:
        app = self._routes.app()
        app.middlewares.append(track_request)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=wire_log,
            keepalive_timeout=KEEPALIVE_SECONDS,
            shutdown_timeout=STOP_SECONDS,
            lingering_time=LINGER_SECONDS,
            max_line_size=LINE_MAX_BYTES,
            max_field_size=TOKEN_MAX_CHARACTERS + 100,
            max_headers=HEADERS_MAX,
            auto_decompress=False,  # no known client compresses, and a small body can become a large one
            handle_signals=False,
        )
        await self._runner.setup()
        assert self._runner.server is not None, "setup makes the server"
        try:
            self._sockets = listening_sockets(listen.address.host, listen.address.port)
        except OSError as error:
            await self._runner.cleanup()
            self._routes.close()
            found = error.errno or 0
            why = os.strerror(found) if found > 0 else error.strerror
            raise GatewayError(
                f"the tenants' gateway cannot listen on {listen.address}: {why}; stop what uses the port "
                "(ss -ltnp shows it), or set gateway.address in the host file"
            ) from None
        self.bound = ListenAddress(listen.address.host, self._sockets[0].getsockname()[1])
        limits = ConnectionLimits(listen.connections, listen.connections_per_client, reserved=0)
        self._listener = Listener(
            self._runner.server, self._certificate.ssl_context, limits, idle_seconds=IDLE_SECONDS
        )
        self._listener.start(self._sockets)
        self._reloading = self._loop.create_task(self._reload())

    async def _close(self) -> None:
        self._reloading.cancel()
        await self._listener.stop()
        for each in self._sockets:
            each.close()
        await self._runner.cleanup()
        await self._listener.finish()
        self._routes.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _reload(self) -> None:
        """Load a renewed certificate; an invalid one is logged, and the old one stays."""
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            try:
                if self._certificate.refresh():
                    log.info("reloaded %s", self._certificate)
            except ServerCertificateError as error:
                log.error("a changed file is invalid, its old content stays in use: %s", error)
            except Exception:  # the listener must go on
                log.exception("%s could not be reloaded", self._certificate)
