"""Bare aiohttp routes in a process of their own with answers of given sizes, for comparison.

`python -m tests.bench.api_bare PATH...` reads the sizes in bytes from its input and prints its port.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from aiohttp import web

PIECE_BYTES = 512 * 1024


async def main(paths: list[str]) -> None:
    """Until it is ended."""
    app = web.Application()
    for path, size in zip(paths, sys.stdin.readline().split(), strict=True):
        app.router.add_get(path, _answer(b"x" * int(size)))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def _answer(body: bytes) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A short body at once, a long one in pieces as ours."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if len(body) <= PIECE_BYTES:
            return web.Response(body=body)
        response = web.StreamResponse()
        response.content_length = len(body)
        await response.prepare(request)
        for start in range(0, len(body), PIECE_BYTES):
            await response.write(memoryview(body)[start : start + PIECE_BYTES])
        await response.write_eof()
        return response

    return answer


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
