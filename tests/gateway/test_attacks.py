"""Hostile requests: others are served, nothing is learned, and logs stay short and clean."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from reconciler.gateway import listener, requests, streams
from reconciler.gateway.requests import BODY_MAX_BYTES
from reconciler.gateway.submissions import Receipt
from reconciler.runtime import connections
from tests.gateway.gateway_server import Gateway, gateway
from tests.gateway.test_routes import LEASE, bearer
from tests.gateway.test_signed_requests import signed
from tests.gateway.test_tokens import encoded, token
from tests.gateway.websocket_client import CLOSE, WebsocketClient, code_of
from tests.replay.tokens import KEYS

PUT = "/deployment/100/manifest"


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway() as found:
        yield found


@pytest.fixture
def served(running: Gateway) -> Gateway:
    running.submissions.taken.clear()
    running.submissions.answer = lambda _: Receipt("hash", "commit")
    return running


def forged(header: dict[str, Any], signer: str = "bob", **claims: Any) -> str:
    """A token of alice that another key signed."""
    text = token(**claims).split(".")[1]
    text = f"{encoded(header)}.{text}"
    signature = KEYS[signer].sign(text.encode())
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    "text",
    [
        forged({"alg": "ES256K"}),
        forged({"alg": "none"}, "alice"),
        forged({"alg": "HS256"}, "alice"),
        forged({"alg": "ES256KADR36"}, "alice"),  # signed as the other algorithm
        token().rpartition(".")[0] + ".",
        token() + "=",
        token(iss=KEYS["bob"].address),
        token(iss=KEYS["alice"].address.upper()),
    ],
)
def test_forged_tokens_permit_nothing(served: Gateway, text: str) -> None:
    status, body, _ = served.request("GET", f"{LEASE}/status", {"Authorization": f"Bearer {text}"})
    assert (status, json.loads(body)) == (401, {"message": "JWT is invalid"})


def test_two_tokens_are_refused(served: Gateway) -> None:
    with served.connect() as socket:
        lines = [f"Authorization: Bearer {token()}", f"Authorization: Bearer {token()}"]
        socket.sendall("\r\n".join([f"GET {LEASE}/status HTTP/1.1", "Host: a", *lines, "", ""]).encode())
        assert socket.recv(1000).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        (PUT, b"x" * (BODY_MAX_BYTES + 1), {}, 413),
        (PUT, b"x" * BODY_MAX_BYTES, {}, 200),
        (PUT, gzip.compress(b" " * (32 << 20)), {"Content-Encoding": "gzip"}, 200),  # submitted as it is
        ("/api/v1/deployments/L1/actions", b"[" * 9_000, signed("n1").headers, 413),
    ],
)
def test_large_bodies(served: Gateway, path: str, body: bytes, headers: dict[str, str], status: int) -> None:
    credentials = {} if "x-ve-address" in headers else bearer()
    method = "PUT" if path == PUT else "POST"
    assert served.request(method, path, {**credentials, **headers}, body)[0] == status
    assert all(len(each.body) <= BODY_MAX_BYTES for each in served.submissions.taken)


def test_strangers_do_not_make_us_read_their_bodies(served: Gateway) -> None:
    with served.connect() as socket:
        socket.sendall(f"PUT {PUT} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n".encode())
        assert socket.recv(1000).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize(
    "head",
    [
        b"X: y\r\n" * 200,
        b"X: " + b"y" * 20_000 + b"\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"X: \x1b[31m\x00\r\n",
    ],
)
def test_malformed_heads_are_refused(served: Gateway, head: bytes) -> None:
    with served.connect() as socket:
        socket.sendall(b"GET /status HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n")
        assert b" 400 " in socket.recv(100)


def test_slow_bodies_are_cut_off(served: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.05)
    with served.connect() as socket:
        head = f"PUT {PUT} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"
        socket.sendall(f"{head}Authorization: {bearer()['Authorization']}\r\n\r\n[".encode())
        assert socket.recv(1000).startswith(b"HTTP/1.1 408")
    assert served.request("PUT", PUT, bearer(), b"[]")[0] == 200


def test_connections_without_requests_end_and_delay_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr(connections, "SWEEP_SECONDS", 0.02)
    with gateway() as served:
        slow = [served.connect() for _ in range(20)]
        for each in slow:
            each.sendall(b"GET /status HTTP/1.1\r\nHo")  # the head never ends
        assert served.request("GET", "/status")[0] == 200
        assert {each.recv(10) for each in slow} == {b""}
        for each in slow:
            each.close()


def test_one_address_gets_no_more_than_its_rate() -> None:
    with gateway(requests_per_minute=3) as served:
        assert [served.request("GET", "/status")[0] for _ in range(5)] == [200, 200, 200, 429, 429]
        status, body, headers = served.request("GET", "/status")
    assert (status, body, headers["Retry-After"] > "0") == (429, b"rate limit exceeded\n", True)


def test_one_account_has_few_manifests_in_progress(served: Gateway) -> None:
    def slow(_: object) -> Receipt:
        time.sleep(0.3)
        return Receipt("", "")

    served.submissions.answer = slow
    with ThreadPoolExecutor(8) as executor:
        found = [*executor.map(lambda _: served.request("PUT", PUT, bearer(), b"[]")[0], range(8))]
    assert sorted(found) == [200] * 4 + [429] * 4


def test_refusals_are_logged_once_a_minute_without_the_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with gateway() as served, caplog.at_level(logging.WARNING):
        text = forged({"alg": "ES256K"})
        for path in ("/%1b%5b31m%0afake", f"{LEASE}/status?ve_sig=secret", "/x"):
            served.request("GET", path, {"Authorization": f"Bearer {text}"})
    (line,) = (each for each in caplog.messages if "refused" in each)
    assert line == "refused GET /[31m fake of 127.0.0.1 with 404: not found"


def test_our_faults_show_tenants_no_code(served: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: object) -> Receipt:
        raise RuntimeError("/var/lib/provider-daemon/keyring")

    served.submissions.answer = fail
    status, body, headers = served.request("PUT", PUT, bearer(), b"[]")
    assert (status, b"/var" in body, headers["Server"]) == (500, False, "provider-daemon")
    assert "keyring" in caplog.text


def test_a_stream_ends_when_its_credentials_may_have(
    served: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "STREAM_SECONDS_MAX", 0.05)
    client = WebsocketClient(served, f"{LEASE}/logs?follow=true", bearer())
    *_, (opcode, payload) = client.frames()
    client.close()
    assert (opcode, code_of(payload)) == (CLOSE, (1000, "reconnect to go on"))


def test_a_signed_request_is_accepted_once(served: Gateway) -> None:
    found = [served.request("GET", "/api/v1/deployments", signed("once").headers) for _ in range(2)]
    assert [status for status, *_ in found] == [200, 401]
    assert json.loads(found[1][1])["message"] == "nonce already used"
