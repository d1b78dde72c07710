"""Bodies and headers of any bytes, to the API and to the webhook."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.api.routes.webhooks import is_authentic
from reconciler.api.startup import Started
from tests.api.fake_sources import serve
from tests.api.routes.test_triggers import SECRET
from tests.fuzz.bounded import QUICK, bounded, texts

PATHS = (b"/hooks/git", b"/api/v1/reconcile", b"/api/v1/status", b"/", b"/api/v1/workloads/x")
NAMES = (b"X-Gitlab-Token", b"X-Hub-Signature-256", b"Authorization", b"Content-Type", b"Cookie", b"X")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    file: Path = tmp_path_factory.mktemp("secret") / "secret"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o600)
    started = serve(webhook_secret=file)
    yield started
    started.stop()


def bodies() -> st.SearchStrategy[bytes]:
    return st.one_of(
        st.binary(max_size=300),
        st.builds(lambda part, times: part * times, st.binary(min_size=1, max_size=8), st.just(1 << 16)),
        texts().map(lambda text: text.encode("utf-8", "surrogatepass")),
    )


def values() -> st.SearchStrategy[bytes]:
    """Header values, without line ends."""
    return st.binary(max_size=200).map(lambda raw: raw.translate(None, b"\r\n\0"))


@QUICK
@given(
    st.sampled_from(PATHS),
    st.sampled_from((b"GET", b"POST", b"PUT")),
    st.dictionaries(st.sampled_from(NAMES), values()),
    bodies(),
)
@example(b"/hooks/git", b"POST", {b"X-Gitlab-Token": b"\xff"}, b"{}")
@example(b"/hooks/git", b"POST", {b"X-Hub-Signature-256": b"\xff"}, b"{}")
@example(b"/api/v1/reconcile", b"POST", {b"Authorization": b"Bearer \xff"}, b"[" * 100_000)
def test_no_request_causes_a_server_error(
    served: Started, path: bytes, method: bytes, headers: dict[bytes, bytes], body: bytes
) -> None:
    lines = [b"%s %s HTTP/1.1" % (method, path), b"Host: 127.0.0.1", b"Connection: close"]
    lines += [b"%s: %s" % pair for pair in headers.items()]
    lines += [b"Content-Length: %d" % len(body), b"", b""]
    answer = exchange(served, b"\r\n".join(lines) + body)
    status = int(answer.split(b" ", 2)[1]) if answer else 400  # the server may close on invalid bytes
    assert status < 500, answer[:500]


def exchange(served: Started, sent: bytes) -> bytes:
    at = served.ports.api
    with socket.create_connection((at.host, at.port), timeout=30) as peer:
        answer = b""
        try:
            peer.sendall(sent)
            while piece := peer.recv(1 << 16):
                answer += piece
        except (BrokenPipeError, ConnectionResetError):
            pass  # it answers before it has read a body that it does not want
        return answer


@QUICK
@given(st.dictionaries(st.sampled_from([name.decode() for name in NAMES]), st.text(max_size=80)), bodies())
def test_no_generated_secret_is_accepted(headers: dict[str, str], body: bytes) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1 << 14):
            yield body[start : start + (1 << 14)]

    with bounded(len(body)):
        assert not asyncio.run(is_authentic(headers, pieces(), SECRET.encode()))
