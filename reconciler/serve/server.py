"""The API and the metrics on their ports, in one thread of their own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from reconciler.serve.api import Api
from reconciler.serve.metrics import CONTENT_TYPE, metrics_page
from reconciler.values.listening import Listen

KEEPALIVE_SECONDS = 15.0
STOP_SECONDS = 5.0


class ServeError(Exception):
    """A server cannot start; a sentence with its address and what to do."""


@dataclass(frozen=True, slots=True)
class Site:
    """One server: its name for the operator, the host file's key of its address, its routes."""

    name: str
    key: str
    listen: Listen
    app: web.Application


@dataclass(frozen=True, slots=True)
class Ports:
    """Where we listen in fact: port 0 has become one that was free."""

    api: Listen
    metrics: Listen


def start_servers(api: Api, api_at: Listen, metrics_at: Listen) -> Servers:
    """Bind both, then serve until stopped; ServeError where an address is taken or is not this machine's
    alone.
    """
    sites = (
        Site("HTTP API", "listen.api", api_at, api.app()),
        Site("metrics", "listen.metrics", metrics_at, metrics_app(metrics_page(lambda: api.board.snapshot))),
    )
    for site in sites:
        if not site.listen.is_loopback:
            raise ServeError(
                f"the {site.name} would be reached by others at {site.listen}, and there is no TLS yet; "
                f"set {site.key} in the host file to 127.0.0.1:{site.listen.port}"
            )
    return Servers(api, sites)


def metrics_app(page: Callable[[], bytes]) -> web.Application:
    """`GET /metrics`."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=page(), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/", metrics)])
    return app


class Servers:
    """Running servers; made by `start_servers`."""

    def __init__(self, api: Api, sites: Sequence[Site]) -> None:
        self._api = api
        self._sites = sites
        self._loop = asyncio.new_event_loop()
        self._runners: list[web.AppRunner] = []
        self._bound: list[Listen] = []
        try:
            self._loop.run_until_complete(self._bind())
        except ServeError:
            self._loop.run_until_complete(self._close())
            self._loop.close()
            raise
        self._thread = threading.Thread(target=self._loop.run_forever, name="http", daemon=True)
        self._thread.start()

    @property
    def ports(self) -> Ports:
        """Where we listen in fact."""
        return Ports(*self._bound)

    def stop(self) -> None:
        """Answer what is being asked, at most five seconds long, and give the ports back; twice is once."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._api.desk.close()

    async def _bind(self) -> None:
        for site in self._sites:
            runner = web.AppRunner(
                site.app,
                access_log=None,
                keepalive_timeout=KEEPALIVE_SECONDS,
                shutdown_timeout=STOP_SECONDS,
                handle_signals=False,
            )
            self._runners.append(runner)
            await runner.setup()
            try:
                await web.TCPSite(runner, site.listen.host, site.listen.port).start()
            except OSError as error:
                raise ServeError(
                    f"the {site.name} cannot listen on {site.listen}: {_why(error)}; stop what uses the "
                    f"port (ss -ltnp shows it), or set {site.key} in the host file"
                ) from None
            self._bound.append(Listen(site.listen.host, runner.addresses[0][1]))

    async def _close(self) -> None:
        for runner in self._runners:
            await runner.cleanup()


def _why(error: OSError) -> str:
    """The system's words; asyncio's own differ from version to version. Names that do not resolve have
    negative numbers.
    """
    found = error.errno or 0
    return os.strerror(found) if found > 0 else str(error.strerror or error)
