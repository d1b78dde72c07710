"""The HTTP API put together: its routes behind a door; every failure is a sentence in JSON."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from aiohttp import web

from reconciler.ports import History, Inspector
from reconciler.serve import hooks
from reconciler.serve.asking import Asking
from reconciler.serve.bell import Bell
from reconciler.serve.board import Board
from reconciler.serve.desk import Desk
from reconciler.serve.doors import Wicket
from reconciler.serve.openapi import document
from reconciler.serve.orders import Orders
from reconciler.serve.page import PageFiles
from reconciler.serve.press import Press
from reconciler.serve.reads import reads
from reconciler.serve.replies import Reply, refused, send
from reconciler.serve.secrets import SecretFile
from reconciler.serve.stream import Stream
from reconciler.serve.table import Access, Asked, Route, WrongParameterError
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

    board: Board
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
        self._press = Press(sources.board)
        self._bell = Bell(sources.ring)
        self._desks = (Desk("machines"), Desk("journal", 2))
        board = sources.board
        snapshot_reads = replace(
            reads(board, self._press, sources.now, sources.stale_seconds), troubles=troubles
        )
        self._stream = Stream(board, self._press, snapshot_reads.overview_of)
        self.routes: tuple[Route, ...] = (
            *snapshot_reads.routes(),
            *Asking(board, sources.inspectors, sources.history, *self._desks).routes(),
            *Orders(board, self._bell, hook_secret).routes(),
            *self._stream.routes(),
            *PageFiles().routes(),
        )
        self._description = Reply(json.dumps(document(self.routes), indent=1).encode() + b"\n")

    def app(self, wicket: Wicket) -> web.Application:
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

    async def _describe(self, _: Asked) -> Reply:
        return self._description


def _handler(route: Route, wicket: Wicket) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        refusal = wicket.refusal(request, route.access)
        refusal = refusal or _too_long(request, route)
        if refusal is not None:
            return await send(request, refusal)
        async with asyncio.timeout(SECONDS_MAX):
            reply = await route.act(route.read(request, trusted=wicket.trusts(request)))
        if not isinstance(reply, Reply):
            return await reply(request)
        if route.access is Access.HOOK and reply.code == 403:
            reply = wicket.failed(request, reply)
        return await send(request, reply)

    return handle


def _too_long(request: web.Request, route: Route) -> Reply | None:
    most = hooks.BODY_MAX_BYTES if route.access is Access.HOOK else BODY_MAX_BYTES
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
