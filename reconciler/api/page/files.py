"""The page at `/`: files of this package, kept in memory."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from reconciler.api.responses import PAGE_POLICY, ApiResponse, error_response
from reconciler.api.routes.routing import Parameter, ParsedRequest, Route, TextParameter

MEDIA = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
INDEX = "index.html"


class PageFiles:
    """Read once, when the servers start."""

    def __init__(self) -> None:
        folder = files("reconciler.api") / "page"
        self._replies = {
            each.name: _response(each.name, each.read_bytes())
            for each in folder.iterdir()
            if each.name[each.name.rfind(".") :] in MEDIA
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all files."""
        return tuple(sorted(self._replies))

    def routes(self) -> tuple[Route, ...]:
        """The page, and the files that it loads."""
        name = Parameter("name", TextParameter(), "The file.", "path")
        return (
            Route("get", "/", "The page.", "text/html", self.index, documented=False),
            Route("get", "/page/{name}", "A file of the page.", "*/*", self.file, (name,), documented=False),
        )

    async def index(self, _: ParsedRequest) -> ApiResponse:
        return self._replies[INDEX]

    async def file(self, request: ParsedRequest) -> ApiResponse:
        name = request.values["name"]
        found = self._replies.get(name)
        return found or error_response(404, f"the page has no file {name}", "GET / lists its files")


def _response(name: str, content: bytes) -> ApiResponse:
    etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    policy = {"Content-Security-Policy": PAGE_POLICY}
    return ApiResponse(content, MEDIA[name[name.rfind(".") :]], etag=etag, headers=policy)
