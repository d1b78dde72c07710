"""All routes of the tenants' listener, behind its limits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from reconciler.gateway.authentication import Authentication
from reconciler.gateway.lease_routes import LeaseRoutes
from reconciler.gateway.manifest_routes import ManifestRoutes
from reconciler.gateway.open_routes import OpenRoutes
from reconciler.gateway.portal_routes import CORS, PREFIX, PortalRoutes, portal_error
from reconciler.gateway.refusals import GatewayRefusal, RefusalLog, response_of
from reconciler.gateway.requests import BODY_MAX_BYTES, Requests
from reconciler.gateway.sources import GatewaySources
from reconciler.gateway.streams import LeaseStreams
from reconciler.runtime.connection_limits import client_of
from reconciler.runtime.rate_limit import Rate

log = logging.getLogger(__name__)

TargetResponse = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GatewayApp:
    """The routes; `close` it when no request is in progress."""

    def __init__(self, sources: GatewaySources, hostname: str, requests_per_minute: int) -> None:
        authentication = Authentication(sources.lookup, sources.now)
        rate = Rate(requests_per_minute / 60, requests_per_minute)
        self._counters = sources.counters
        self._refusals = RefusalLog()
        self._requests = Requests(authentication, sources.leases, sources.counters, rate)
        self._manifests = ManifestRoutes(self._requests, sources.submissions)
        self._streams = LeaseStreams(self._requests, sources.inspectors)
        self._portal = PortalRoutes(self._requests, self._streams, sources)
        self._open = OpenRoutes(sources.leases, hostname)

    def app(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(middlewares=[self._serve], client_max_size=BODY_MAX_BYTES)
        parts = (self._open, self._manifests, LeaseRoutes(self._requests), self._streams, self._portal)
        for routes in parts:
            routes.add_to(app.router)
        app.on_response_prepare.append(_hide_versions)
        return app

    def close(self) -> None:
        """Stop the threads."""
        for part in (self._requests, self._manifests, self._streams, self._portal):
            part.close()

    @web.middleware
    async def _serve(self, request: web.Request, handler: TargetResponse) -> web.StreamResponse:
        """Apply limits, count, and answer refusals in the form that the route's client understands."""
        is_portal = request.path.startswith(f"{PREFIX}/")
        refusal: GatewayRefusal
        try:
            self._requests.admit(request)
            response = await handler(request)
        except GatewayRefusal as error:
            refusal = error
        except web.HTTPException as error:  # of the router
            refusal = _of_router(error)
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception:  # a fault of one request must not show tenants our code
            log.exception("a tenant's request failed")
            refusal = GatewayRefusal(500, "the provider failed to answer; its operator sees why")
        else:
            if is_portal and not response.prepared:
                response.headers.update(CORS)
            self._counters.count_response(_route_of(request), response.status)
            return response
        self._refusals.note(client_of(request.remote or ""), f"{request.method} {request.path}", refusal)
        self._counters.count_response(_route_of(request), refusal.status)
        return portal_error(refusal) if is_portal else response_of(refusal)


async def _hide_versions(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "provider-daemon"


def _of_router(error: web.HTTPException) -> GatewayRefusal:
    """A path that only answers preflights is no route."""
    if isinstance(error, web.HTTPMethodNotAllowed) and error.allowed_methods == {"OPTIONS"}:
        return GatewayRefusal(404, "not found")
    return GatewayRefusal(error.status, error.reason.lower())


def _route_of(request: web.Request) -> str:
    """The last fixed word of the route's path, as a label of few values; "" for no route."""
    resource = request.match_info.route.resource
    words = [word for word in (resource.canonical if resource else "").split("/") if word[:1] != "{"]
    return words[-1] if words else ""
