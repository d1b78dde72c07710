"""The page at `/`: files of this package, whole in memory, that load nothing from anywhere else."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from reconciler.api.responses import PAGE_POLICY, Reply, refused
from reconciler.api.routes.routing import Parameter, ParsedRequest, Route, Text

MEDIA = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
INDEX = "index.html"


class PageFiles:
    """Read once, when the servers start."""

    def __init__(self) -> None:
        folder = files("reconciler.api") / "page"
        self._replies = {
            each.name: _reply(each.name, each.read_bytes())
            for each in folder.iterdir()
            if each.name[each.name.rfind(".") :] in MEDIA
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Of all files."""
        return tuple(sorted(self._replies))

    def routes(self) -> tuple[Route, ...]:
        """The page, and what it loads."""
        name = Parameter("name", Text(), "The file.", "path")
        return (
            Route("get", "/", "The page.", "text/html", self.index, documented=False),
            Route("get", "/page/{name}", "Its parts.", "*/*", self.file, (name,), documented=False),
        )

    async def index(self, _: ParsedRequest) -> Reply:
        return self._replies[INDEX]

    async def file(self, asked: ParsedRequest) -> Reply:
        name = asked.values["name"]
        found = self._replies.get(name)
        return found or refused(404, f"the page has no part {name}", "ask GET / and what it names")


def _reply(name: str, content: bytes) -> Reply:
    etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    policy = {"Content-Security-Policy": PAGE_POLICY}
    return Reply(content, MEDIA[name[name.rfind(".") :]], etag=etag, headers=policy)
