"""The API under load with many leases: how long answers take, and what that costs the cycle.

`python -m tests.bench.api_load [LEASES]`. Clients are a program of their own; the cycle is a real one, with
its ports in memory, in the program that serves.
"""

from __future__ import annotations

import asyncio
import functools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from aiohttp import web

from reconciler.cycle.run import Runner
from reconciler.serve.board import Board
from reconciler.values.listening import Listen
from tests.bench.cycles import later, provider_of
from tests.bench.figures import show, wall_ms
from tests.cycle.worlds import Scenery
from tests.serve.asking import ask
from tests.serve.playing import serve

STATUS, WORKLOADS = "/api/v1/status", "/api/v1/workloads"
RATE, SECONDS, BLOCK_SECONDS = 200, 15.0, 1.0


def bench_api(leases: int) -> None:
    """Latency at 200 requests a second, the cycle's slow-down meanwhile, the most against a bare route."""
    with provider_of(leases) as (scene, runner):
        board = Board(runner.snapshot)
        started = serve(board)
        try:
            _steady(leases, started.ports.api, scene, runner, board)
            _most(started.ports.api)
        finally:
            started.stop()


def _steady(leases: int, at: Listen, scene: Scenery, runner: Runner, board: Board) -> None:
    ask(at, WORKLOADS)  # rows are made once
    alone = _cycles(scene, runner, board, lambda: time.sleep(SECONDS))
    for paths in ((STATUS,), (STATUS, WORKLOADS)):
        found: dict[str, Any] = {}
        asked = ("steady", at.host, str(at.port), str(RATE), str(SECONDS), *paths)
        beside = _cycles(scene, runner, board, functools.partial(_note, found, asked))
        for path in paths:
            times, size = found[path]["ms"], found[path]["bytes"]
            figure = f"p99 {_part(times, 0.99):.1f} ms"
            rest = f"p50 {_part(times, 0.5):.1f} ms, {size / 1024:.0f} KiB each"
            show(f"{path}, {RATE // len(paths)} a second, {leases} leases", figure, rest)
        share = 100 * (beside - alone) / 1000 / BLOCK_SECONDS
        slower = f"{alone:.0f} ms alone: {100 * (beside / alone - 1):+.0f} %, {share:+.1f} % of a block"
        show("  a cycle meanwhile, by the clock", f"{beside:.0f} ms", slower)


def _note(found: dict[str, Any], asked: tuple[str, ...]) -> None:
    found.update(_clients(*asked))


def _cycles(scene: Scenery, runner: Runner, board: Board, meanwhile: Callable[[], object]) -> float:
    """The median time of a cycle, one a block, while something else goes on; each is shown on the board."""
    other = threading.Thread(target=meanwhile)
    other.start()
    taken = []
    due = time.monotonic()
    while other.is_alive():
        later(scene)
        taken.append(wall_ms(lambda: board.show(runner.cycle().snapshot)))
        due += BLOCK_SECONDS
        time.sleep(max(due - time.monotonic(), 0))
    other.join()
    return median(taken)


def _most(at: Listen) -> None:
    body = b"x" * 2_000
    with _bare(body) as bare:
        plain = _clients("most", bare.host, str(bare.port), "4", "/")["rate"]
        ours = _clients("most", at.host, str(at.port), "4", STATUS)["rate"]
    show(
        "requests a second at most, the status",
        f"{ours:.0f}",
        f"{100 * ours / plain:.0f} % of a bare route's {plain:.0f}",
    )


@contextmanager
def _bare(body: bytes) -> Iterator[Listen]:
    """An aiohttp route that answers so many bytes and does nothing else."""
    loop = asyncio.new_event_loop()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body)

    async def begin() -> web.AppRunner:
        app = web.Application()
        app.add_routes([web.get("/", answer)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = loop.run_until_complete(begin())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield Listen("127.0.0.1", runner.addresses[0][1])
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _clients(*words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.api_clients", *words]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def _part(times: list[float], part: float) -> float:
    return times[min(int(len(times) * part), len(times) - 1)]


if __name__ == "__main__":
    bench_api(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
