"""Starts the servers: plain HTTP on loopback, TLS and authentication on remote addresses."""

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
from reconciler.api.auth.tls import Certificate, RemoteAccess, RemoteAccessError, require_safe
from reconciler.api.metrics import CONTENT_TYPE, MetricSources, metrics_page
from reconciler.api.responses import HEADERS, send
from reconciler.api.routes.routing import RouteAccess
from reconciler.api.server import ReloadedFile, ServedApp, ServeError, Servers
from reconciler.runtime.call_timings import CallTimings
from reconciler.runtime.rate_limit import Rates
from reconciler.runtime.secret_files import SecretError, SecretFile, Token, read_hook_secret, read_tokens
from reconciler.values.listen_address import ListenAddress
from reconciler.values.observed import Trouble

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """Addresses to listen on (`outside`: a second, remote address of the API, or None), settings of remote
    access, and rate limits.
    """

    api: ListenAddress
    metrics: ListenAddress
    outside: ListenAddress | None = None
    remote_access: RemoteAccess = field(default_factory=RemoteAccess)
    webhook_secret: Path | None = None
    rates: Rates = field(default_factory=Rates)


@dataclass(frozen=True, slots=True)
class ServedPorts:
    """The actual addresses: port 0 becomes a free one."""

    api: ListenAddress
    metrics: ListenAddress
    outside: ListenAddress | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """Running servers and their addresses."""

    servers: Servers
    ports: ServedPorts

    def stop(self) -> None:
        """Release the ports; idempotent."""
        self.servers.stop()


@dataclass(slots=True)
class _Credentials:
    """Certificate and tokens, read once for all servers."""

    serving: Serving
    now: Callable[[], int]
    tokens: SecretFile[tuple[Token, ...]] | None = None
    certificate: Certificate | None = None
    names: list[str] = field(default_factory=list)

    def authenticator(
        self, what: str, key: str, at: ListenAddress
    ) -> tuple[Authenticator, Certificate | None]:
        """How clients of an address authenticate, and its certificate if it is remote."""
        require_safe(what, key, at, self.serving.remote_access)
        if at.is_loopback:
            return LocalAuthenticator(), None
        access = self.serving.remote_access
        if self.tokens is None and access.tokens is not None:
            self.tokens = SecretFile(access.tokens, read_tokens)
        if self.certificate is None:
            self.certificate = Certificate(access)
        self.names.append(what)
        return RemoteAuthenticator(self.tokens, self.now), self.certificate

    def troubles(self) -> tuple[Trouble, ...]:
        """What is wrong with the certificate."""
        found = self.certificate.trouble(self.now()) if self.certificate else None
        return (found,) if found else ()

    def expiries(self) -> dict[str, int]:
        """When the certificate of each remote server expires."""
        return {name: self.certificate.expires_at for name in self.names if self.certificate}


def start_servers(sources: Sources, serving: Serving, calls: CallTimings) -> Started:
    """Bind all, then serve until stopped; ServeError if an address is in use or unsafe."""
    credentials = _Credentials(serving, sources.now)
    try:
        return _start(sources, serving, credentials, calls)
    except (RemoteAccessError, SecretError) as error:
        raise ServeError(str(error)) from None


def _start(sources: Sources, serving: Serving, credentials: _Credentials, calls: CallTimings) -> Started:
    secret = SecretFile(serving.webhook_secret, read_hook_secret) if serving.webhook_secret else None
    api = Api(sources, secret, lambda: (*credentials.troubles(), *sources.troubles()))
    page = metrics_page(
        MetricSources(
            sources.snapshots,
            sources.now,
            calls,
            lambda: {**credentials.expiries(), **sources.certificates()},
            sources.queues,
            sources.collectors,
        )
    )

    def served(
        what: str, key: str, at: ListenAddress, make: Callable[[RateLimitedAuth], web.Application]
    ) -> ServedApp:
        authenticator, certificate = credentials.authenticator(what, key, at)
        return ServedApp(what, key, at, make(RateLimitedAuth(authenticator, serving.rates)), certificate)

    apps = [
        served("HTTP API", "listen.api", serving.api, api.app),
        served("metrics", "listen.metrics", serving.metrics, lambda auth: metrics_app(page, auth)),
    ]
    if serving.outside is not None:
        apps.append(served("HTTP API", "listen.outside", serving.outside, api.app))
    for found in credentials.troubles():
        log.error("%s: %s; %s", found.reason, found.message, found.advice)
    files: tuple[ReloadedFile | None, ...] = (secret, credentials.tokens, credentials.certificate)
    servers = Servers(api, apps, [each for each in files if each is not None])
    return Started(servers, ServedPorts(*servers.bound))


def metrics_app(page: Callable[[], bytes], auth: RateLimitedAuth) -> web.Application:
    """`GET /metrics`."""

    async def metrics(request: web.Request) -> web.StreamResponse:
        refusal = auth.refusal(request, RouteAccess.READ)
        if refusal is not None:
            return await send(request, refusal)
        return web.Response(body=page(), headers={**HEADERS, "Content-Type": CONTENT_TYPE})

    handler: Callable[[web.Request], Awaitable[web.StreamResponse]] = metrics
    app = web.Application()
    app.add_routes([web.get("/metrics", handler), web.get("/", handler)])
    return app
