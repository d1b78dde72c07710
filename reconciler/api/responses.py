"""HTTP responses: common headers, long bodies in chunks, 304 for unchanged content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from reconciler.reports.view_json import view_text
from reconciler.values.text import one_line
from reconciler.values.views import ErrorView

ERROR_MAX = 1_000
"""Maximum characters of an error message."""

CHUNK_BYTES = 512 * 1024
"""Large, because a computing cycle may hold the interpreter lock after each chunk; not larger, because many
slow clients may hold one each.
"""
JSON = "application/json"
TEXT = "text/plain"

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
"""The page loads only files of this server."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A finished response. With an `etag`, the client may cache it and must revalidate it."""

    body: bytes
    media: str = JSON
    code: int = 200
    etag: str = ""
    gzipped: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def view_response(view: object, code: int = 200, **headers: str) -> ApiResponse:
    """A view as indented JSON."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return ApiResponse(view_text(view).encode(), code=code, headers=named)


def error_response(code: int, error: str, advice: str, **headers: str) -> ApiResponse:
    """An error; text quoted from the request is cleaned."""
    return view_response(ErrorView(one_line(error, ERROR_MAX), advice), code, **headers)


async def send(request: web.Request, response: ApiResponse) -> web.StreamResponse:
    """Send a response; a long body is not copied for each client."""
    headers = _headers(response)
    known = request.headers.get("If-None-Match", "")
    if response.etag and response.etag in (etag.strip() for etag in known.split(",")):
        return web.Response(status=304, headers=headers)
    if len(response.body) <= CHUNK_BYTES or request.method == "HEAD":
        return web.Response(body=response.body, status=response.code, headers=headers)
    stream = web.StreamResponse(status=response.code, headers=headers)
    stream.content_length = len(response.body)
    await stream.prepare(request)
    body = memoryview(response.body)
    for start in range(0, len(body), CHUNK_BYTES):
        await stream.write(body[start : start + CHUNK_BYTES])
    await stream.write_eof()
    return stream


def accepts_gzip(request: web.Request) -> bool:
    """Whether the client accepts gzip."""
    return "gzip" in request.headers.get("Accept-Encoding", "")


def _headers(response: ApiResponse) -> dict[str, str]:
    charset = "; charset=utf-8" if response.media == JSON or response.media.startswith("text/") else ""
    headers = {**HEADERS, "Content-Type": f"{response.media}{charset}", **response.headers}
    if response.etag:
        headers |= {
            "ETag": response.etag,
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding, Authorization",
        }
    if response.gzipped:
        headers["Content-Encoding"] = "gzip"
    return headers
