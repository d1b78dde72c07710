"""Servers on their addresses: plain where only this machine reaches them, else with TLS and proof."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from reconciler.api.api import Api, Sources
from reconciler.api.auth.authenticators import (
    Authenticator,
    LocalAuthenticator,
    RateLimitedAuth,
    RemoteAuthenticator,
)
from reconciler.api.auth.rate_limit import Rates
from reconciler.api.auth.tls import Certificate, RemoteAccess, RemoteAccessError, demand
from reconciler.api.metrics import CONTENT_TYPE, Gauges, metrics_page
from reconciler.api.responses import HEADERS, send
from reconciler.api.routes.routing import RouteAccess
from reconciler.api.server import Renewed, ServedApp, ServeError, Servers
from reconciler.runtime.call_timings import CallTimings
from reconciler.runtime.secret_files import SecretError, SecretFile, Token, read_hook_secret, read_tokens
from reconciler.values.listen_address import ListenAddress
from reconciler.values.observed import Trouble

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """Where we listen (`outside` beside `api`, for others; None: nowhere), and what the host file names for
    those who are not on this machine.
    """

    api: ListenAddress
    metrics: ListenAddress
    outside: ListenAddress | None = None
    proof: RemoteAccess = field(default_factory=RemoteAccess)
    webhook_secret: Path | None = None
    rates: Rates = field(default_factory=Rates)


@dataclass(frozen=True, slots=True)
class ServedPorts:
    """Where we listen in fact: port 0 has become one that was free."""

    api: ListenAddress
    metrics: ListenAddress
    outside: ListenAddress | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """Running servers and their addresses."""

    servers: Servers
    ports: ServedPorts

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

    def site_door(self, what: str, key: str, at: ListenAddress) -> tuple[Authenticator, Certificate | None]:
        """The door of an address, and the certificate where others reach it."""
        demand(what, key, at, self.serving.proof)
        if at.is_loopback:
            return LocalAuthenticator(), None
        proof = self.serving.proof
        if self.tokens is None and proof.tokens is not None:
            self.tokens = SecretFile(proof.tokens, read_tokens)
        if self.certificate is None:
            self.certificate = Certificate(proof)
        self.names.append(what)
        return RemoteAuthenticator(self.tokens, self.now), self.certificate

    def troubles(self) -> tuple[Trouble, ...]:
        """What is not well with what others see."""
        found = self.certificate.trouble(self.now()) if self.certificate else None
        return (found,) if found else ()

    def expiries(self) -> dict[str, int]:
        """By site, when the certificate that others see expires."""
        return {name: self.certificate.expires_at for name in self.names if self.certificate}


def start_servers(sources: Sources, serving: Serving, calls: CallTimings) -> Started:
    """Bind all, then serve until stopped; ServeError where an address is taken, or not safe for others."""
    guards = _Guards(serving, sources.now)
    try:
        return _start(sources, serving, guards, calls)
    except (RemoteAccessError, SecretError) as error:
        raise ServeError(str(error)) from None


def _start(sources: Sources, serving: Serving, guards: _Guards, calls: CallTimings) -> Started:
    secret = SecretFile(serving.webhook_secret, read_hook_secret) if serving.webhook_secret else None
    api = Api(sources, secret, guards.troubles)
    page = metrics_page(Gauges(sources.snapshots, sources.now, calls, guards.expiries))

    def site(
        what: str, key: str, at: ListenAddress, make: Callable[[RateLimitedAuth], web.Application]
    ) -> ServedApp:
        door, certificate = guards.site_door(what, key, at)
        return ServedApp(what, key, at, make(RateLimitedAuth(door, serving.rates)), certificate)

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
    return Started(servers, ServedPorts(*servers.bound))


def metrics_app(page: Callable[[], bytes], wicket: RateLimitedAuth) -> web.Application:
    """`GET /metrics`."""

    async def metrics(request: web.Request) -> web.StreamResponse:
        refusal = wicket.refusal(request, RouteAccess.READ)
        if refusal is not None:
            return await send(request, refusal)
        return web.Response(body=page(), headers={**HEADERS, "Content-Type": CONTENT_TYPE})

    handler: Callable[[web.Request], Awaitable[web.StreamResponse]] = metrics
    app = web.Application()
    app.add_routes([web.get("/metrics", handler), web.get("/", handler)])
    return app
