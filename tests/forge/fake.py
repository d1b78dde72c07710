"""A small forge on loopback: what GitHub and Gitea share, in memory, and troubles on demand."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "t0ken-of-a-test-long-enough"
REPOSITORY = "operator/state"
US = "operator"
COMMIT = "c" * 40


@dataclass
class Trouble:
    """What is answered in place of the truth: an HTTP status (0: none, the line breaks), and when."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"message": "trouble"}'
    slow_seconds: float = 0
    after: bool = False
    """The request is carried out, and the answer is trouble all the same."""


@dataclass
class FakeForge:
    """The forge's memory; `troubles` come first, one a request, then the truth."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    head: str = COMMIT
    """Of every pull request that is not in `pulls`."""
    troubles: list[Trouble] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    login: str | None = US
    has_pages: bool = True
    may_push: bool = True
    url: str = ""
    always: Trouble | None = None

    @property
    def bodies(self) -> list[str]:
        """The comments' texts."""
        return [each["body"] for each in self.comments]

    def comment(self, author: str, body: str) -> None:
        """Somebody writes a comment."""
        made = {"id": 100 + len(self.comments), "user": {"login": author}, "body": body}
        self.comments.append(made)

    def answer(self, method: str, target: str, body: dict[str, Any]) -> tuple[int, Any]:
        """The truth."""
        parts = urlsplit(target)
        path, query = parts.path.removeprefix("/api/v1"), parse_qs(parts.query)
        if path == "/user":
            return (200, {"login": self.login}) if self.login else (403, {"message": "not for you"})
        inside = path.removeprefix(f"/repos/{REPOSITORY}")
        if inside == path:
            return 404, {"message": "no such repository"}
        if inside == "":
            return 200, {"permissions": {"push": self.may_push}}
        if re.fullmatch(r"/issues/\d+/comments", inside):
            if method == "POST":
                self.comment(self.login or "robot[bot]", body["body"])
                return 201, self.comments[-1]
            return 200, self._page(self.comments, query)
        if found := re.fullmatch(r"/issues/comments/(\d+)", inside):
            for each in self.comments:
                if each["id"] == int(found[1]):
                    each["body"] = body["body"]
                    return 200, each
            return 404, {"message": "gone"}
        if found := re.fullmatch(r"/statuses/([0-9a-f]{40})", inside):
            self.statuses.append({"commit": found[1], **body})
            return 201, body
        if found := re.fullmatch(r"/pulls/(\d+)", inside):
            number = int(found[1])
            known = [each for each in self.pulls if each["number"] == number]
            return 200, known[0] if known else {"number": number, "head": {"sha": self.head}}
        if inside == "/pulls":
            return 200, self._page(self.pulls, query)
        return 404, {"message": "no such thing"}

    def _page(self, entries: list[Any], query: dict[str, list[str]]) -> list[Any]:
        if not self.has_pages:
            return entries
        size, page = int(query["limit"][0]), int(query["page"][0])
        return entries[(page - 1) * size : page * size]


def _handler(forge: FakeForge) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            self._do()

        do_POST = do_PATCH = do_GET  # noqa: N815  # the library's names

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            forge.asked.append(f"{self.command} {urlsplit(self.path).path}")
            trouble = forge.always or (forge.troubles.pop(0) if forge.troubles else None)
            if self.headers["Authorization"] != f"token {TOKEN}":
                trouble = Trouble(401, body=json.dumps({"message": f"bad {TOKEN}"}).encode())
            if trouble is None or trouble.after:
                status, found = forge.answer(self.command, self.path, json.loads(body or b"{}"))
                if trouble is None:
                    self._send(status, {}, json.dumps(found).encode())
                    return
            time.sleep(trouble.slow_seconds)
            if trouble.status:
                self._send(trouble.status, trouble.headers, trouble.body)
            else:
                self.close_connection = True

        def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    return Handler


@contextmanager
def serving(forge: FakeForge) -> Iterator[FakeForge]:
    """The forge at its address."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that went away is no news."""

    server = Server(("127.0.0.1", 0), _handler(forge))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    forge.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
