"""The HTTP API: routes over the board's snapshot; nothing here changes anything."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from reconciler.serve import answers
from reconciler.serve.board import Board
from reconciler.serve.logs import TAIL_DEFAULT, TAIL_MAX, LogDesk, LogsBusy
from reconciler.serve.readiness import unready
from reconciler.serve.shapes import ErrorAnswer, HealthAnswer, Shape
from reconciler.values.lifecycle import Phase
from reconciler.values.snapshot import Snapshot, WorkloadSnapshot

SECONDS_MAX = 30.0
BODY_MAX_BYTES = 1024
ROUTES = "GET /api/v1/status, /api/v1/bid-engine/status, /api/v1/workloads, /healthz or /readyz"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Api:
    """What the routes answer from; `now` gives unix seconds, `stale_seconds` is how old a view of the chain
    may be before we are not ready.
    """

    board: Board
    desk: LogDesk
    now: Callable[[], int]
    stale_seconds: int = 300

    def app(self) -> web.Application:
        """The routes of the operator's sheet."""
        app = web.Application(middlewares=[_sentences, _only_this_machine], client_max_size=BODY_MAX_BYTES)
        app.add_routes(
            [
                web.get("/api/v1/status", self.status),
                web.get("/api/v1/bid-engine/status", self.bid_engine),
                web.get("/api/v1/workloads", self.workloads),
                web.get("/api/v1/workloads/{id}", self.workload),
                web.get("/api/v1/workloads/{id}/logs", self.logs),
                web.get("/healthz", self.healthz),
                web.get("/readyz", self.readyz),
            ]
        )
        return app

    async def status(self, _: web.Request) -> web.Response:
        return _json(answers.status(self.board.snapshot))

    async def bid_engine(self, _: web.Request) -> web.Response:
        return _json(answers.bid_engine(self.board.snapshot))

    async def workloads(self, request: web.Request) -> web.Response:
        asked = request.query.get("state")
        phases = {phase.value.lower(): phase for phase in Phase}
        if asked is not None and asked not in phases:
            return _error(400, f"{asked} is no state of a workload", f"ask for one of {', '.join(phases)}")
        return _json(answers.workloads(self.board.snapshot, phases[asked] if asked else None))

    async def workload(self, request: web.Request) -> web.Response:
        snapshot = self.board.snapshot
        found = _find(snapshot, request)
        return found if isinstance(found, web.Response) else _json(answers.workload(snapshot, found))

    async def logs(self, request: web.Request) -> web.Response:
        found = _find(self.board.snapshot, request)
        if isinstance(found, web.Response):
            return found
        tail = request.query.get("tail", str(TAIL_DEFAULT))
        if not (tail.isascii() and tail.isdigit() and 1 <= int(tail[:9]) <= TAIL_MAX and len(tail) < 9):
            return _error(400, f"tail={tail} is no count of lines", f"ask for 1 to {TAIL_MAX}")
        return await self._tail(found, int(tail))

    async def healthz(self, _: web.Request) -> web.Response:
        return _json(HealthAnswer(status="ok", why=""))

    async def readyz(self, _: web.Request) -> web.Response:
        why = unready(self.board.snapshot, self.now(), self.stale_seconds)
        return _json(HealthAnswer(status="not ready" if why else "ok", why=why), 503 if why else 200)

    async def _tail(self, found: WorkloadSnapshot, lines: int) -> web.Response:
        try:
            text = await self.desk.tail(found, lines)
        except LogsBusy:
            return _error(503, "as many logs as are read at once are being read", "try again in a moment")
        except TimeoutError:
            advice = f"see whether its {found.adapter} answers, or ask for fewer lines with ?tail="
            return _error(504, f"the logs of {found.id} did not come in time", advice)
        except OSError as error:
            advice = (
                f"see whether its {found.adapter} answers; GET /api/v1/workloads/{found.id} tells its state"
            )
            return _error(502, f"the logs of {found.id} cannot be read: {error}", advice)
        return web.Response(body=text, content_type="text/plain", charset="utf-8")


def _find(snapshot: Snapshot, request: web.Request) -> WorkloadSnapshot | web.Response:
    asked = request.match_info["id"]
    found = next((w for w in snapshot.workloads if w.id == asked), None)
    if found is not None:
        return found
    advice = "GET /api/v1/workloads lists those there are; `provider-daemon explain` knows former ones"
    return _error(404, f"there is no workload {asked[:200]}", advice)


@web.middleware
async def _sentences(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure is a sentence in JSON, within a bounded time."""
    try:
        async with asyncio.timeout(SECONDS_MAX):
            return await handler(request)
    except web.HTTPNotFound:
        return _error(404, f"there is nothing at {request.path[:200]}", f"ask {ROUTES}")
    except web.HTTPMethodNotAllowed as error:
        response = _error(405, f"{request.method[:20]} does nothing here; this API only shows", "use GET")
        response.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        return response
    except web.HTTPException as error:
        return _error(error.status, error.reason, f"ask {ROUTES}")
    except TimeoutError:
        return _error(504, "the answer took too long", "try again; if it lasts, see the daemon's log")
    except Exception:
        log.exception("a request to %s failed", request.path[:200])
        return _error(500, "the answer could not be made", "the daemon's log says why; please report it")


@web.middleware
async def _only_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A page in a browser can point a name of its own at 127.0.0.1; such a name is not ours."""
    host = request.headers.get("Host")
    if host is not None and not _is_ours(host):
        return _error(421, f"this API is not at {host[:200]}", "ask by address, or as localhost")
    return await handler(request)


def _is_ours(host: str) -> bool:
    """Whether a Host header names an address, or localhost."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def _json(shape: Shape, code: int = 200) -> web.Response:
    return web.Response(
        text=shape.model_dump_json(indent=1) + "\n", status=code, content_type="application/json"
    )


def _error(code: int, sentence: str, advice: str) -> web.Response:
    return _json(ErrorAnswer(error=sentence, advice=advice), code)
