"""Servers on their addresses: plain where only this machine reaches them, else with TLS and proof."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from reconciler.serve.api import Api, Sources
from reconciler.serve.calls import Calls
from reconciler.serve.doors import Door, LocalDoor, OutsideDoor, Wicket
from reconciler.serve.metrics import CONTENT_TYPE, Gauges, metrics_page
from reconciler.serve.outside import Certificate, Outside, OutsideError, demand
from reconciler.serve.rates import Rates
from reconciler.serve.replies import HEADERS, send
from reconciler.serve.secrets import SecretError, SecretFile, Token, read_hook_secret, read_tokens
from reconciler.serve.server import Renewed, ServeError, Servers, Site
from reconciler.serve.table import Access
from reconciler.values.listening import Listen
from reconciler.values.observed import Trouble

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """Where we listen (`outside` beside `api`, for others; None: nowhere), and what the host file names for
    those who are not on this machine.
    """

    api: Listen
    metrics: Listen
    outside: Listen | None = None
    proof: Outside = field(default_factory=Outside)
    webhook_secret: Path | None = None
    rates: Rates = field(default_factory=Rates)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where we listen in fact: port 0 has become one that was free."""

    api: Listen
    metrics: Listen
    outside: Listen | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """Running servers and their addresses."""

    servers: Servers
    ports: Ports

    def stop(self) -> None:
        """Give the ports back; twice is once."""
        self.servers.stop()


@dataclass(slots=True)
class _Guards:
    """Certificates and tokens, read once for all sites."""

    serving: Serving
    now: Callable[[], int]
    tokens: SecretFile[tuple[Token, ...]] | None = None
    certificate: Certificate | None = None
    names: list[str] = field(default_factory=list)

    def site_door(self, what: str, key: str, at: Listen) -> tuple[Door, Certificate | None]:
        """The door of an address, and the certificate where others reach it."""
        demand(what, key, at, self.serving.proof)
        if at.is_loopback:
            return LocalDoor(), None
        proof = self.serving.proof
        if self.tokens is None and proof.tokens is not None:
            self.tokens = SecretFile(proof.tokens, read_tokens)
        if self.certificate is None:
            self.certificate = Certificate(proof)
        self.names.append(what)
        return OutsideDoor(self.tokens, self.now), self.certificate

    def troubles(self) -> tuple[Trouble, ...]:
        """What is not well with what others see."""
        found = self.certificate.trouble(self.now()) if self.certificate else None
        return (found,) if found else ()

    def expiries(self) -> dict[str, int]:
        """By site, when the certificate that others see expires."""
        return {name: self.certificate.expires_at for name in self.names if self.certificate}


def start_servers(sources: Sources, serving: Serving, calls: Calls) -> Started:
    """Bind all, then serve until stopped; ServeError where an address is taken, or not safe for others."""
    guards = _Guards(serving, sources.now)
    try:
        return _start(sources, serving, guards, calls)
    except (OutsideError, SecretError) as error:
        raise ServeError(str(error)) from None


def _start(sources: Sources, serving: Serving, guards: _Guards, calls: Calls) -> Started:
    secret = SecretFile(serving.webhook_secret, read_hook_secret) if serving.webhook_secret else None
    api = Api(sources, secret, guards.troubles)
    page = metrics_page(Gauges(sources.board, sources.now, calls, guards.expiries))

    def site(what: str, key: str, at: Listen, make: Callable[[Wicket], web.Application]) -> Site:
        door, certificate = guards.site_door(what, key, at)
        return Site(what, key, at, make(Wicket(door, serving.rates)), certificate)

    sites = [
        site("HTTP API", "listen.api", serving.api, api.app),
        site("metrics", "listen.metrics", serving.metrics, lambda wicket: metrics_app(page, wicket)),
    ]
    if serving.outside is not None:
        sites.append(site("HTTP API", "listen.outside", serving.outside, api.app))
    for found in guards.troubles():
        log.error("%s: %s; %s", found.reason, found.message, found.advice)
    files: tuple[Renewed | None, ...] = (secret, guards.tokens, guards.certificate)
    servers = Servers(api, sites, [each for each in files if each is not None])
    return Started(servers, Ports(*servers.bound))


def metrics_app(page: Callable[[], bytes], wicket: Wicket) -> web.Application:
    """`GET /metrics`."""

    async def metrics(request: web.Request) -> web.StreamResponse:
        refusal = wicket.refusal(request, Access.READ)
        if refusal is not None:
            return await send(request, refusal)
        return web.Response(body=page(), headers={**HEADERS, "Content-Type": CONTENT_TYPE})

    handler: Callable[[web.Request], Awaitable[web.StreamResponse]] = metrics
    app = web.Application()
    app.add_routes([web.get("/metrics", handler), web.get("/", handler)])
    return app
