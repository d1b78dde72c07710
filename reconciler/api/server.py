"""API and metrics servers on their ports, in one thread."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from reconciler.api.api import Api
from reconciler.api.auth.tls import Certificate, RemoteAccessError
from reconciler.runtime.connection_limits import ConnectionLimits
from reconciler.runtime.connections import Listener, listening_sockets, track_request
from reconciler.runtime.runtime_tuning import tune_runtime
from reconciler.runtime.secret_files import SecretError
from reconciler.values.listen_address import ListenAddress

log = logging.getLogger(__name__)
wire_log = logging.getLogger("reconciler.api.wire")
"""The HTTP library's log."""

KEEPALIVE_SECONDS = 15.0
STOP_SECONDS = 5.0
CONNECTION_LIMITS = ConnectionLimits()
RELOAD_SECONDS = 5.0
"""How often certificates and secret files are checked for changes."""


class ReloadedFile(Protocol):
    """A file that is reloaded when it changes."""

    def refresh(self) -> bool:
        """Whether it changed; RemoteAccessError or SecretError if it is invalid: the old content stays."""


class ServeError(Exception):
    """A server cannot start; the message has its address and what to do."""


@dataclass(frozen=True, slots=True)
class ServedApp:
    """One server: its name, the host file's key of its address, its routes, and the certificate of a remote
    address.
    """

    name: str
    key: str
    listen: ListenAddress
    app: web.Application
    certificate: Certificate | None = None


def is_worth_logging(record: logging.LogRecord) -> bool:
    """False for records about malformed HTTP, which quote the client's headers, and about clients that left:
    anyone could fill the log with either.
    """
    return not (record.exc_info and isinstance(record.exc_info[1], (HttpProcessingError, ConnectionError)))


wire_log.addFilter(is_worth_logging)


class Servers:
    """Running servers. `bound` are their actual addresses: port 0 becomes a free one."""

    def __init__(self, api: Api, apps: Sequence[ServedApp], files: Sequence[ReloadedFile]) -> None:
        self._api = api
        self._apps = apps
        self._files = files
        self._loop = asyncio.new_event_loop()
        self._runners: list[web.AppRunner] = []
        self._listeners: list[Listener] = []
        self._sockets: list[socket.socket] = []
        self._reloading: asyncio.Task[None] | None = None
        self.bound: list[ListenAddress] = []
        try:
            self._loop.run_until_complete(self._bind())
        except ServeError:
            self._loop.run_until_complete(self._close())
            self._loop.close()
            raise
        tune_runtime()
        self._thread = threading.Thread(target=self._loop.run_forever, name="http", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish requests within five seconds and release the ports; idempotent."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _bind(self) -> None:
        for served in self._apps:
            served.app.middlewares.append(track_request)
            runner = web.AppRunner(
                served.app,
                access_log=None,
                logger=wire_log,
                keepalive_timeout=KEEPALIVE_SECONDS,
                shutdown_timeout=STOP_SECONDS,
                auto_decompress=False,  # webhook bodies are hashed as sent
                handle_signals=False,
            )
            self._runners.append(runner)
            await runner.setup()
            assert runner.server is not None, "setup makes the server"
            try:
                sockets = listening_sockets(served.listen.host, served.listen.port)
            except OSError as error:
                raise ServeError(
                    f"the {served.name} cannot listen on {served.listen}: {_why(error)}; stop what uses the "
                    f"port (ss -ltnp shows it), or set {served.key} in the host file"
                ) from None
            self._sockets += sockets
            self.bound.append(ListenAddress(served.listen.host, sockets[0].getsockname()[1]))
            tls = served.certificate.tls if served.certificate else None
            listener = Listener(runner.server, tls, CONNECTION_LIMITS)
            self._listeners.append(listener)
            listener.start(sockets)
        self._reloading = self._loop.create_task(self._reload_files())

    async def _close(self) -> None:
        if self._reloading is not None:
            self._reloading.cancel()
        for listener in self._listeners:
            await listener.stop()
        for each in self._sockets:
            each.close()
        self._api.close()
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))
        for listener in self._listeners:
            await listener.finish()

    async def _reload_files(self) -> None:
        """Reload renewed certificates and secrets; an invalid file is logged, and the old content stays."""
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            for each in self._files:
                try:
                    if each.refresh():
                        log.info("reloaded %s", each)
                except (SecretError, RemoteAccessError) as error:
                    log.error("a changed file is invalid, its old content stays in use: %s", error)
                except Exception:  # one file must not stop the reload of the others
                    log.exception("%s could not be reloaded", each)


def _why(error: OSError) -> str:
    """The system's message, as asyncio's differs between versions. Resolver errors have negative numbers."""
    found = error.errno or 0
    return os.strerror(found) if found > 0 else str(error.strerror or error)
