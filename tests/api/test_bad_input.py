"""Bad input to the API: the exact response, no leak, and other requests are still served.

Many or stalled clients are in test_connections.py, certificates in auth/test_tls.py.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.api.auth.tls import RemoteAccess
from reconciler.api.startup import Started
from reconciler.values.listen_address import ListenAddress
from tests.api.auth.test_tls import OLD, TOKEN, tokens_of
from tests.api.certificates import Authority
from tests.api.fake_sources import WakeCounter, serve
from tests.api.http_client import HttpClient, HttpResponse
from tests.api.routes.test_triggers import BODY, SECRET, sign
from tests.api.snapshots import HEALTHY

HOOK, RECONCILE, STATUS = "/hooks/git", "/api/v1/reconcile", "/api/v1/status"
NO_WORKLOAD = "GET /api/v1/workloads lists all; `provider-daemon explain` has former ones"
NO_DECISION = "a decision exists once the daemon has seen an order; it is kept for two weeks"
WRONG_SIGNATURE = (
    "set the secret of listen.webhook_secret at the forge; it signs the body (X-Hub-Signature-256 or "
    "X-Gitea-Signature), or sends it as X-Gitlab-Token"
)
ROUTES = "use GET /api/v1/status, /api/v1/workloads or /openapi.json, which lists them all"


@dataclass
class RunningServers:
    """A provider with both addresses, a webhook and tokens."""

    started: Started
    wake: WakeCounter
    authority: Authority

    @property
    def local(self) -> HttpClient:
        """A client of the loopback address."""
        return HttpClient(self.started.ports.api)

    @property
    def remote(self) -> HttpClient:
        """A client of the remote address."""
        assert self.started.ports.outside is not None
        at = ListenAddress("127.0.0.1", self.started.ports.outside.port)
        return HttpClient(at, self.authority.client())

    def raw(self, sent: bytes) -> HttpResponse:
        """The response to raw bytes."""
        at = self.started.ports.api
        with socket.create_connection((at.host, at.port), timeout=20) as peer:
            peer.sendall(sent)
            got = b""
            while piece := peer.recv(65_536):
                got += piece
        head, _, body = got.partition(b"\r\n\r\n")
        return HttpResponse(int(head.split()[1]), "", body)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningServers]:
    authority, wake = Authority(tmp_path), WakeCounter()
    certificate, key = authority.issue("server")
    (tmp_path / "hook").write_text(SECRET)
    (tmp_path / "hook").chmod(0o600)
    started = serve(
        wake=wake,
        outside=ListenAddress("0.0.0.0", 0),
        remote_access=RemoteAccess(certificate, key, None, tokens_of(tmp_path)),
        webhook_secret=tmp_path / "hook",
    )
    yield RunningServers(started, wake, authority)
    started.stop()


@dataclass(frozen=True)
class Row:
    """A bad request, the expected response, and how often it wakes the loop."""

    name: str
    send: Callable[[RunningServers], HttpResponse]
    code: int
    error: str = ""
    advice: str = ""
    wakes: int = 0


def get(path: str, **headers: str) -> Callable[[RunningServers], HttpResponse]:
    return lambda running: running.local.request(path, "GET", None, **headers)


def post(path: str, body: bytes = b"", **headers: str) -> Callable[[RunningServers], HttpResponse]:
    return lambda running: running.local.request(path, "POST", body, **headers)


def token(shown: str) -> Callable[[RunningServers], HttpResponse]:
    return lambda running: running.remote.request(STATUS, "GET", None, Authorization=shown)


def replayed(running: RunningServers) -> HttpResponse:
    """Sends the same webhook ten times."""
    for _ in range(9):
        post(HOOK, BODY, X_Gitea_Signature=sign())(running)
    return post(HOOK, BODY, X_Gitea_Signature=sign())(running)


SMUGGLED = (
    b"POST /api/v1/reconcile HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /"
)
TLS_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"


TABLE = [
    Row("an unknown workload", get("/api/v1/workloads/nope"), 404, "there is no workload nope", NO_WORKLOAD),
    Row(
        "an unknown workload's log",
        get("/api/v1/workloads/nope/logs"),
        404,
        "there is no workload nope",
        NO_WORKLOAD,
    ),
    Row(
        "an id that is text of a script",
        get("/api/v1/workloads/%3Cscript%3E"),
        404,
        "there is no workload <script>",
        NO_WORKLOAD,
    ),
    Row(
        "an id of 300 characters",
        get(f"/api/v1/workloads/{'x' * 300}"),
        400,
        "id has 300 characters",
        "use at most 200",
    ),
    Row("a path of 9,000 characters", get(f"/api/v1/workloads/{'x' * 9_000}"), 400),
    Row(
        "an unknown order",
        get("/api/v1/orders/ve1x/1/1/1/decision"),
        404,
        "order ve1x/1/1/1 is unknown",
        NO_DECISION,
    ),
    Row(
        "an order that is none",
        get("/api/v1/orders/ve1x/one/1/1/decision"),
        400,
        "dseq=one is not a number in range",
        "use 0 to 18446744073709551615",
    ),
    Row(
        "a state that is none",
        get("/api/v1/workloads?state=dead"),
        400,
        "state=dead is unknown",
        "use one of pending, deploying, running, paused, stopping, stopped, terminated, failed",
    ),
    Row(
        "a parameter that is none",
        get("/api/v1/leases?stat=low"),
        400,
        "unknown parameter stat",
        "known parameters: funding, limit, after, contains",
    ),
    Row(
        "a parameter twice",
        get("/api/v1/bids?limit=1&limit=2"),
        400,
        "limit is given 2 times",
        "give it once",
    ),
    Row("a path that leads out", get("/api/v1/%2e%2e/%2e%2e/etc/passwd"), 404, advice=ROUTES),
    Row("another method", post(STATUS), 405, "POST is not allowed here", "use GET"),
    Row(
        "a name of someone else's",
        get(STATUS, Host="evil.example.org"),
        421,
        "this API is not at evil.example.org",
        "use its IP address or localhost",
    ),
    Row(
        "another site's page",
        post(RECONCILE, Origin="https://evil.example.org"),
        403,
        "requests from another site's page are not allowed",
        "use the page at /, or curl",
    ),
    Row(
        "a body of a megabyte",
        post(RECONCILE, b"x" * 1_000_000),
        413,
        "a body of 1000000 bytes is too long",
        "send at most 1024 bytes",
    ),
    Row("a malformed body", post(RECONCILE, b'{"a": '), 202, wakes=1),
    Row(
        "a webhook whose body is no JSON", post(HOOK, b"\xff", X_Gitea_Signature=sign(b"\xff")), 202, wakes=1
    ),
    Row("a replayed webhook", replayed, 202, wakes=1),
    Row(
        "a webhook signed for another body",
        post(HOOK, BODY, X_Hub_Signature_256=f"sha256={sign(b'other')}"),
        403,
        "the signature does not match the webhook secret",
        WRONG_SIGNATURE,
    ),
    Row(
        "no token",
        token(""),
        401,
        "authentication is required",
        "send a token as `Authorization: Bearer TOKEN`, or a client certificate",
    ),
    Row(
        "a wrong token",
        token(f"Bearer {TOKEN}x"),
        401,
        "the token is unknown",
        "check that it is complete, or get a new one",
    ),
    Row(
        "an expired token",
        token(f"Bearer {OLD}"),
        401,
        "the token has expired",
        "get a new one from the provider's operator",
    ),
    Row("a header that is too long", get(STATUS, Authorization=f"Bearer {TOKEN}{'x' * 9_000}"), 400),
    Row("junk", lambda running: running.raw(b"\x00\xff\r\n\r\n"), 400),
    Row("TLS at the plain port", lambda running: running.raw(TLS_HELLO), 400),
    Row("two lengths", lambda running: running.raw(SMUGGLED), 400),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_bad_input(running: RunningServers, row: Row, caplog: pytest.LogCaptureFixture) -> None:
    response = row.send(running)

    assert response.code == row.code
    if row.error:
        assert json.loads(response.body)["error"] == row.error
    if row.advice:
        assert json.loads(response.body)["advice"] == row.advice
    assert running.wake.count == row.wakes
    assert SECRET.encode() not in response.body
    assert SECRET not in caplog.text
    assert TOKEN not in caplog.text
    assert "Traceback" not in caplog.text
    began = time.monotonic()
    assert running.local.request(STATUS).tree["provider"] == "one"
    assert (
        running.remote.request(f"/api/v1/workloads/{HEALTHY.id}", Authorization=f"Bearer {TOKEN}").code == 200
    )
    assert time.monotonic() - began < 2


def test_each_case_is_listed_once() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE)
