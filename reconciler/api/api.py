"""The HTTP API: all routes behind authentication; every failure is JSON with a message and advice."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web
from prometheus_client.registry import Collector

from reconciler.api.auth.authenticators import RateLimitedAuth
from reconciler.api.openapi import openapi_document
from reconciler.api.page.event_stream import EventStream
from reconciler.api.page.files import PageFiles
from reconciler.api.response_cache import ResponseCache
from reconciler.api.responses import ApiResponse, error_response, send
from reconciler.api.routes import webhooks
from reconciler.api.routes.live import LedgerReader, LiveRoutes
from reconciler.api.routes.routing import ParsedRequest, Route, RouteAccess, WrongParameterError
from reconciler.api.routes.snapshot import SnapshotRoutes
from reconciler.api.routes.triggers import TriggerRoutes
from reconciler.ports import History, Inspector
from reconciler.runtime.bounded_executor import BoundedExecutor
from reconciler.runtime.reconcile_trigger import ReconcileTrigger
from reconciler.runtime.secret_files import SecretFile
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.observed import Trouble
from reconciler.values.work import QueueStatistics

TIMEOUT_SECONDS = 30.0
BODY_MAX_BYTES = 1024
ROUTES = "GET /api/v1/status, /api/v1/workloads or /openapi.json, which lists them all"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sources:
    """What the routes read: snapshots, adapters by name, and the journal; how to wake the loop; the time in
    unix seconds; the work queues. `collectors`, `troubles` and `certificates` (expiry by server) are those of
    other servers.
    """

    snapshots: SnapshotStore
    inspectors: Mapping[str, Inspector]
    history: History
    wake: Callable[[], None]
    now: Callable[[], int]
    stale_seconds: int = 90
    queues: Callable[[], tuple[QueueStatistics, ...]] = tuple
    collectors: tuple[Collector, ...] = ()
    troubles: Callable[[], tuple[Trouble, ...]] = tuple
    certificates: Callable[[], Mapping[str, int]] = dict


class Api:
    """The routes of one daemon, for all its addresses; `close` it on the servers' event loop."""

    def __init__(
        self,
        sources: Sources,
        hook_secret: SecretFile[bytes] | None = None,
        troubles: Callable[[], tuple[Trouble, ...]] = tuple,
    ) -> None:
        snapshots = sources.snapshots
        self._cache = ResponseCache(snapshots)
        self._trigger = ReconcileTrigger(sources.wake)
        self._executors = (BoundedExecutor("adapter-reads"), BoundedExecutor("journal-reads", 2))
        reads = SnapshotRoutes(snapshots, self._cache, sources.now, sources.stale_seconds, troubles)
        self._stream = EventStream(snapshots, self._cache, reads.overview_of)
        self.routes: tuple[Route, ...] = (
            *reads.routes(),
            *LiveRoutes(
                snapshots,
                sources.inspectors,
                sources.history,
                LedgerReader(sources.history),
                *self._executors,
            ).routes(),
            *TriggerRoutes(snapshots, self._trigger, hook_secret).routes(),
            *self._stream.routes(),
            *PageFiles().routes(),
        )
        self._openapi = ApiResponse(json.dumps(openapi_document(self.routes), indent=1).encode() + b"\n")

    def app(self, auth: RateLimitedAuth) -> web.Application:
        """The routes behind authentication."""
        app = web.Application(middlewares=[_errors_as_json], client_max_size=BODY_MAX_BYTES)
        openapi = Route("get", "/openapi.json", "This document.", "application/json", self._describe)
        for route in (*self.routes, openapi):
            app.router.add_route(route.method, route.path, _handler(route, auth))
            if route.method == "get":
                app.router.add_route("head", route.path, _handler(route, auth))
        return app

    def close(self) -> None:
        """Stop threads and streams."""
        self._stream.close()
        self._trigger.close()
        self._cache.close()
        for executor in self._executors:
            executor.close()

    async def _describe(self, _: ParsedRequest) -> ApiResponse:
        return self._openapi


def _handler(route: Route, auth: RateLimitedAuth) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        refusal = auth.refusal(request, route.access) or _too_long(request, route)
        if refusal is not None:
            return await send(request, refusal)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            response = await route.handler(route.parse(request, trusted=auth.trusts(request)))
        if not isinstance(response, ApiResponse):
            return await response(request)
        if route.access is RouteAccess.HOOK and response.code == 403:
            response = auth.failed(request, response)
        return await send(request, response)

    return handle


def _too_long(request: web.Request, route: Route) -> ApiResponse | None:
    limit = webhooks.BODY_MAX_BYTES if route.access is RouteAccess.HOOK else BODY_MAX_BYTES
    if (request.content_length or 0) <= limit:
        return None
    message = f"a body of {request.content_length} bytes is too long"
    return error_response(413, message, f"send at most {limit} bytes")


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except WrongParameterError as error:
        response = error_response(400, str(error), error.advice)
    except web.HTTPNotFound:
        response = error_response(404, f"there is nothing at {request.path[:200]}", f"use {ROUTES}")
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        advice = f"use {allowed.replace(', HEAD', '').replace('HEAD, ', '')}"
        response = error_response(405, f"{request.method[:20]} is not allowed here", advice, Allow=allowed)
    except web.HTTPException as error:
        response = error_response(error.status, error.reason, f"use {ROUTES}")
    except TimeoutError:
        response = error_response(504, "the response took too long", "try again; if it persists, see the log")
    except ConnectionError:
        raise  # the client disconnected
    except Exception:
        log.exception("a request to %s failed", request.path[:200])
        response = error_response(
            500, "the response could not be computed", "the daemon's log has the reason; please report it"
        )
    return await send(request, response)
