"""The HTTP API put together: its routes behind a door; every failure is a sentence in JSON."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from aiohttp import web

from reconciler.api.auth.authenticators import RateLimitedAuth
from reconciler.api.openapi import document
from reconciler.api.page.event_stream import EventStream
from reconciler.api.page.files import PageFiles
from reconciler.api.response_cache import ResponseCache
from reconciler.api.responses import Reply, refused, send
from reconciler.api.routes import webhooks as hooks
from reconciler.api.routes.live import LiveRoutes
from reconciler.api.routes.routing import ParsedRequest, Route, RouteAccess, WrongParameterError
from reconciler.api.routes.snapshot import reads
from reconciler.api.routes.triggers import TriggerRoutes
from reconciler.ports import History, Inspector
from reconciler.runtime.bounded_executor import BoundedExecutor
from reconciler.runtime.reconcile_trigger import ReconcileTrigger
from reconciler.runtime.secret_files import SecretFile
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.observed import Trouble

SECONDS_MAX = 30.0
BODY_MAX_BYTES = 1024
ROUTES = "GET /api/v1/status, /api/v1/workloads or /openapi.json, which lists them all"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sources:
    """What the routes answer from: the board, each adapter by its name, the journal, how the loop is woken,
    and unix seconds.
    """

    board: SnapshotStore
    inspectors: Mapping[str, Inspector]
    history: History
    ring: Callable[[], None]
    now: Callable[[], int]
    stale_seconds: int = 300


class Api:
    """The routes of one daemon, for all its sites; `close` it on the servers' loop."""

    def __init__(
        self,
        sources: Sources,
        hook_secret: SecretFile[bytes] | None = None,
        troubles: Callable[[], tuple[Trouble, ...]] = tuple,
    ) -> None:
        self._press = ResponseCache(sources.board)
        self._bell = ReconcileTrigger(sources.ring)
        self._desks = (BoundedExecutor("machines"), BoundedExecutor("journal", 2))
        board = sources.board
        snapshot_reads = replace(
            reads(board, self._press, sources.now, sources.stale_seconds), troubles=troubles
        )
        self._stream = EventStream(board, self._press, snapshot_reads.overview_of)
        self.routes: tuple[Route, ...] = (
            *snapshot_reads.routes(),
            *LiveRoutes(board, sources.inspectors, sources.history, *self._desks).routes(),
            *TriggerRoutes(board, self._bell, hook_secret).routes(),
            *self._stream.routes(),
            *PageFiles().routes(),
        )
        self._description = Reply(json.dumps(document(self.routes), indent=1).encode() + b"\n")

    def app(self, wicket: RateLimitedAuth) -> web.Application:
        """The routes behind a door."""
        app = web.Application(middlewares=[_sentences], client_max_size=BODY_MAX_BYTES)
        described = Route("get", "/openapi.json", "This file.", "application/json", self._describe)
        for route in (*self.routes, described):
            app.router.add_route(route.method, route.path, _handler(route, wicket))
            if route.method == "get":
                app.router.add_route("head", route.path, _handler(route, wicket))
        return app

    def close(self) -> None:
        """Let go of threads and listeners."""
        self._stream.close()
        self._bell.close()
        self._press.close()
        for desk in self._desks:
            desk.close()

    async def _describe(self, _: ParsedRequest) -> Reply:
        return self._description


def _handler(route: Route, wicket: RateLimitedAuth) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        refusal = wicket.refusal(request, route.access)
        refusal = refusal or _too_long(request, route)
        if refusal is not None:
            return await send(request, refusal)
        async with asyncio.timeout(SECONDS_MAX):
            reply = await route.act(route.read(request, trusted=wicket.trusts(request)))
        if not isinstance(reply, Reply):
            return await reply(request)
        if route.access is RouteAccess.HOOK and reply.code == 403:
            reply = wicket.failed(request, reply)
        return await send(request, reply)

    return handle


def _too_long(request: web.Request, route: Route) -> Reply | None:
    most = hooks.BODY_MAX_BYTES if route.access is RouteAccess.HOOK else BODY_MAX_BYTES
    if (request.content_length or 0) <= most:
        return None
    return refused(413, f"a body of {request.content_length} bytes is not read", f"send at most {most} bytes")


@web.middleware
async def _sentences(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure is a sentence in JSON."""
    try:
        return await handler(request)
    except WrongParameterError as error:
        reply = refused(400, str(error), error.advice)
    except web.HTTPNotFound:
        reply = refused(404, f"there is nothing at {request.path[:200]}", f"ask {ROUTES}")
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        advice = f"use {allowed.replace(', HEAD', '').replace('HEAD, ', '')}"
        reply = refused(405, f"{request.method[:20]} does nothing here", advice, Allow=allowed)
    except web.HTTPException as error:
        reply = refused(error.status, error.reason, f"ask {ROUTES}")
    except TimeoutError:
        reply = refused(504, "the answer took too long", "try again; if it lasts, see the daemon's log")
    except ConnectionError:
        raise  # the asker has left; there is nobody to tell
    except Exception:
        log.exception("a request to %s failed", request.path[:200])
        reply = refused(500, "the answer could not be made", "the daemon's log says why; please report it")
    return await send(request, reply)
