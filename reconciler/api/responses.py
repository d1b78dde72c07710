"""Answers on the wire: the headers of all, long bodies piece by piece, what is known already left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from reconciler.api.views.schemas import ErrorAnswer, Shape
from reconciler.values.text import one_line

SENTENCE_MAX = 1_000
"""Characters of a refusal's sentence."""

PIECE_BYTES = 512 * 1024
"""Few pieces, as a cycle that computes may take a turn after each; no more, as many may be read slowly."""
JSON = "application/json"
TEXT = "text/plain"

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
"""What the page may load: what we serve, and nothing else."""

NOTHING_POLICY = "default-src 'none'; frame-ancestors 'none'"

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": NOTHING_POLICY,
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose body is made. With an `etag` it may be kept, and is asked for again each time."""

    body: bytes
    media: str = JSON
    code: int = 200
    etag: str = ""
    zipped: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def shown(shape: Shape, code: int = 200, **headers: str) -> Reply:
    """A shape as JSON that people read too."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    body = shape.model_dump_json(indent=1, by_alias=True).encode() + b"\n"
    return Reply(body, code=code, headers=named)


def refused(code: int, sentence: str, advice: str, **headers: str) -> Reply:
    """Why there is no other answer; what it quotes of the request is cleaned."""
    return shown(ErrorAnswer(error=one_line(sentence, SENTENCE_MAX), advice=advice), code, **headers)


async def send(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Answer a request; a long body never lies in memory once for each asker."""
    headers = _headers(reply)
    if reply.etag and reply.etag in (mark.strip() for mark in _known(request).split(",")):
        return web.Response(status=304, headers=headers)
    if len(reply.body) <= PIECE_BYTES or request.method == "HEAD":
        return web.Response(body=reply.body, status=reply.code, headers=headers)
    response = web.StreamResponse(status=reply.code, headers=headers)
    response.content_length = len(reply.body)
    await response.prepare(request)
    whole = memoryview(reply.body)
    for start in range(0, len(whole), PIECE_BYTES):
        await response.write(whole[start : start + PIECE_BYTES])
    await response.write_eof()
    return response


def takes_zipped(request: web.Request) -> bool:
    """Whether the asker reads gzip."""
    return "gzip" in request.headers.get("Accept-Encoding", "")


def _headers(reply: Reply) -> dict[str, str]:
    charset = "; charset=utf-8" if reply.media in (JSON, TEXT) or reply.media.startswith("text/") else ""
    headers = {**HEADERS, "Content-Type": f"{reply.media}{charset}", **reply.headers}
    if reply.etag:
        headers |= {"ETag": reply.etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding, Authorization"}
    if reply.zipped:
        headers["Content-Encoding"] = "gzip"
    return headers


def _known(request: web.Request) -> str:
    return request.headers.get("If-None-Match", "")
