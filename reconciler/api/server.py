"""The API and the metrics on their ports, in one thread of their own."""

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
from reconciler.api.connection_limits import ConnectionLimits
from reconciler.api.connections import Acceptor, keep_seat, listening
from reconciler.runtime.runtime_tuning import tune_runtime
from reconciler.runtime.secret_files import SecretError
from reconciler.values.listen_address import ListenAddress

log = logging.getLogger(__name__)
wire_log = logging.getLogger("reconciler.api.wire")
"""The HTTP library's own words."""

KEEPALIVE_SECONDS = 15.0
STOP_SECONDS = 5.0
SEATS = ConnectionLimits()
FILES_SECONDS = 5.0
"""How often certificates and files of secrets are looked at."""


class Renewed(Protocol):
    """A file that is read again when it changes."""

    def refresh(self) -> bool:
        """Whether it changed; OutsideError or SecretError where it is not good: the old one stays."""


class ServeError(Exception):
    """A server cannot start; a sentence with its address and what to do."""


@dataclass(frozen=True, slots=True)
class ServedApp:
    """One server: its name for the operator, the host file's key of its address, its routes, and its
    certificate where others reach it.
    """

    name: str
    key: str
    listen: ListenAddress
    app: web.Application
    certificate: Certificate | None = None


def without_nonsense(record: logging.LogRecord) -> bool:
    """Whether a record is no complaint about a client's bad HTTP, which would quote its headers, or about one
    that has left: strangers could fill the log with either.
    """
    return not (record.exc_info and isinstance(record.exc_info[1], (HttpProcessingError, ConnectionError)))


wire_log.addFilter(without_nonsense)


class Servers:
    """Running servers. `bound` are their addresses in fact: port 0 has become one that was free."""

    def __init__(self, api: Api, sites: Sequence[ServedApp], files: Sequence[Renewed]) -> None:
        self._api = api
        self._sites = sites
        self._files = files
        self._loop = asyncio.new_event_loop()
        self._runners: list[web.AppRunner] = []
        self._acceptors: list[Acceptor] = []
        self._sockets: list[socket.socket] = []
        self._watching: asyncio.Task[None] | None = None
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
        """Answer what is being asked, at most five seconds long, and give the ports back; twice is once."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _bind(self) -> None:
        for site in self._sites:
            site.app.middlewares.append(keep_seat)
            runner = web.AppRunner(
                site.app,
                access_log=None,
                logger=wire_log,
                keepalive_timeout=KEEPALIVE_SECONDS,
                shutdown_timeout=STOP_SECONDS,
                auto_decompress=False,  # a body is hashed as it was sent, and never grows
                handle_signals=False,
            )
            self._runners.append(runner)
            await runner.setup()
            assert runner.server is not None, "setup makes the server"
            try:
                sockets = listening(site.listen.host, site.listen.port)
            except OSError as error:
                raise ServeError(
                    f"the {site.name} cannot listen on {site.listen}: {_why(error)}; stop what uses the "
                    f"port (ss -ltnp shows it), or set {site.key} in the host file"
                ) from None
            self._sockets += sockets
            self.bound.append(ListenAddress(site.listen.host, sockets[0].getsockname()[1]))
            tls = site.certificate.tls if site.certificate else None
            acceptor = Acceptor(runner.server, tls, SEATS)
            self._acceptors.append(acceptor)
            acceptor.start(sockets)
        self._watching = self._loop.create_task(self._watch_files())

    async def _close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        for acceptor in self._acceptors:
            await acceptor.stop()
        for each in self._sockets:
            each.close()
        self._api.close()
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))
        for acceptor in self._acceptors:
            await acceptor.finish()

    async def _watch_files(self) -> None:
        """Take renewed certificates and secrets; what is not good any more is told, and stays as it was."""
        while True:
            await asyncio.sleep(FILES_SECONDS)
            for each in self._files:
                try:
                    if each.refresh():
                        log.info("a changed file was read again: %s", each)
                except (SecretError, RemoteAccessError) as error:
                    log.error("a changed file cannot be used, the old one still is: %s", error)
                except Exception:  # one file must not end the watch of the others
                    log.exception("a file could not be read again: %s", each)


def _why(error: OSError) -> str:
    """The system's words; asyncio's own differ from version to version. Names that do not resolve have
    negative numbers.
    """
    found = error.errno or 0
    return os.strerror(found) if found > 0 else str(error.strerror or error)
