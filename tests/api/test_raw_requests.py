"""Malformed requests: refused or disconnected without log lines."""

from __future__ import annotations

import itertools
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.api.startup import Started
from reconciler.values.listen_address import ListenAddress
from tests.api.fake_sources import serve
from tests.api.http_client import http_request

SECONDS_MAX = 10.0
H = b"Host: localhost\r\nConnection: close\r\n"
HOOK = b"POST /hooks/git HTTP/1.1\r\n" + H
SIGNED = HOOK + b"X-Gitea-Signature: aa\r\n"
EMPTY = b"Content-Length: 0\r\n\r\n"
GOOD = SIGNED + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    secret: Path = tmp_path_factory.mktemp("secrets") / "webhook"
    secret.write_text("0123456789" * 3)
    secret.chmod(0o600)
    running = serve(webhook_secret=secret)
    yield running
    running.stop()


def first_line(at: ListenAddress, sent: bytes) -> bytes:
    """The first line of the response."""
    with socket.create_connection((at.host, at.port), timeout=SECONDS_MAX) as made:
        made.sendall(sent)
        return made.recv(65_536).partition(b"\r\n")[0]


def exchange(at: ListenAddress, sent: bytes) -> bytes:
    """The response to bytes after which nothing more is sent; a closed connection counts as a response."""
    got = b""
    with socket.create_connection((at.host, at.port), timeout=SECONDS_MAX) as made, suppress(OSError):
        made.sendall(sent)
        made.shutdown(socket.SHUT_WR)
        while piece := made.recv(65_536):
            got += piece
    return got


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (HOOK + b"X-Gitlab-Token: \xff\xfe\r\n" + EMPTY, 403),
        (HOOK + b"X-Gitea-Signature: \xff\xfe\r\n" + EMPTY, 403),
        (SIGNED + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde", 403),
        (SIGNED + b"Content-Encoding: br\r\nContent-Length: 5\r\n\r\nabcde", 403),
        (
            HOOK + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            400,
        ),
        (HOOK + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", 400),
        (HOOK + b"Content-Length: +4\r\n\r\nabcd", 400),
        (HOOK + b"Transfer-Encoding: xchunked\r\n\r\nabcd", 400),
        (HOOK + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n", 421),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 421),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400),
        (b"GET /%ff%00%0a HTTP/1.1\r\n" + H + b"\r\n", 404),
        (b"GET /../../etc/passwd HTTP/1.1\r\n" + H + b"\r\n", 404),
        (b"GET /api/v1/workloads/..%2f..%2fx/logs HTTP/1.1\r\n" + H + b"\r\n", 404),
        (b"GET /api/v1/workloads?%ff=%ff HTTP/1.1\r\n" + H + b"\r\n", 400),
        (b"POST /api/v1/reconcile HTTP/1.1\r\n" + H + b"Origin: http://[::1\r\n" + EMPTY, 403),
        (b"POST /api/v1/reconcile HTTP/1.1\r\n" + H + b"Origin: \xff\r\n" + EMPTY, 403),
        (b"GET / HTTP/1.1\r\n" + H + b"".join(b"a%d: b\r\n" % n for n in range(10_000)) + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + H + b"a: " + b"x" * 20_000 + b"\r\n\r\n", 400),
    ],
    ids=itertools.count(),
)
def test_a_malformed_request_is_refused(
    started: Started, caplog: pytest.LogCaptureFixture, sent: bytes, code: int
) -> None:
    with caplog.at_level(logging.WARNING):
        response = first_line(started.ports.api, sent)
    assert response.split(b" ")[1] == str(code).encode(), response
    assert caplog.records == []


@pytest.mark.parametrize(
    "sent",
    [
        SIGNED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 200_000,
        SIGNED + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\na",
        SIGNED + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 1_000_000 + b"\r\n",
        SIGNED + b"Content-Length: 1000000\r\n\r\nabc",
        b"GET /" + b"x" * 5_000_000,
        b"GET / HTTP/1.1\r\n" + H + b"a: " + b"x" * 5_000_000,
        b"A" * 5_000_000,
    ],
    ids=itertools.count(),
)
def test_an_incomplete_request_is_not_logged(
    started: Started, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    began = time.monotonic()
    with caplog.at_level(logging.WARNING):
        exchange(started.ports.api, sent)
        assert http_request(started.ports.api, "/healthz").code == 200
    assert time.monotonic() - began < SECONDS_MAX
    assert caplog.records == []


def test_a_webhook_body_is_hashed_before_decompression(started: Started) -> None:
    """A forge that compresses signs what it sends; and a small body cannot become a large one."""
    import gzip
    import hashlib
    import hmac

    body = gzip.compress(b"x" * (64 << 20))
    signature = hmac.new(b"0123456789" * 3, body, hashlib.sha256).hexdigest()
    headers = {"X_Gitea_Signature": signature, "Content_Encoding": "gzip"}
    assert http_request(started.ports.api, "/hooks/git", "POST", body, **headers).code == 202


WORDS = (
    b"GET POST HEAD PRI / /healthz /hooks/git /api/v1/status * HTTP/1.1 HTTP/1.0".split()
    + b"Host:localhost Content-Length:3 Transfer-Encoding:chunked Connection:close Range:bytes=0-".split()
    + b"Expect:100-continue Upgrade:websocket X-Gitlab-Token:a If-None-Match:* Origin:a".split()
    + [b"Authorization: Basic a", b"\r\n", b"\r\n\r\n", b" ", b":", b"0\r\n\r\n"]
)
words = st.one_of(st.sampled_from(WORDS), st.binary(max_size=40))
requests = st.lists(words, max_size=20).map(b"".join)
bent = st.builds(
    lambda at, piece, cut: (GOOD[:at] + piece + GOOD[at + cut :]),
    st.integers(0, 120), st.binary(max_size=30), st.integers(0, 20),
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.one_of(requests, bent))
def test_arbitrary_bytes(started: Started, caplog: pytest.LogCaptureFixture, sent: bytes) -> None:
    with caplog.at_level(logging.WARNING):
        began = time.monotonic()
        response = exchange(started.ports.api, sent)
        assert time.monotonic() - began < SECONDS_MAX
    assert not response.startswith((b"HTTP/1.1 5", b"HTTP/1.0 5")), response
    assert caplog.records == []
