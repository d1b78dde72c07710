"""The RPC client on a server that answers badly, slowly, or what was recorded."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from reconciler.chain.node_errors import NodeError, NodeRefusedError, TooLargeError
from reconciler.chain.rpc import STATUS_BYTES_MAX, Rpc, unix_seconds
from tests.chain.recordings import transcript


@contextmanager
def answering(answer: Callable[[dict[str, Any]], bytes]) -> Iterator[str]:
    class Server(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            content = answer(asked)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def recorded(asked: dict[str, Any]) -> bytes:
    """What the real node answered to the first call of this method."""
    calls = [step.line for step in transcript("auth-and-rpc") if step.line.get("do") == "rpc"]
    found = next(line for line in calls if line["method"] == asked["method"])
    return json.dumps(found["answer"]).encode()


@pytest.fixture
def rpc() -> Iterator[Rpc]:
    with answering(recorded) as url:
        yield Rpc(url)


def test_a_recorded_status_is_read(rpc: Rpc) -> None:
    status = rpc.status()
    assert (status.chain_id, status.height) == ("virtengine-localnet-1", 19)
    assert (status.catching_up, status.indexing, status.earliest_height) == (False, True, 1)
    assert status.time == pytest.approx(1795508814.647424)


def test_a_recorded_block_and_its_results_are_read(rpc: Rpc) -> None:
    block, results = rpc.block(19), rpc.block_results(19)
    assert (block.height, len(block.txs)) == (19, 1)
    assert (results.height, len(results.txs), results.txs[0].code) == (19, 1, 0)
    sends = [event for event in results.txs[0].events if event.type == "transfer"]
    assert len(sends) == 31  # thirty sends and the fee
    assert {event.type for event in results.events} >= {"mint"}


def test_a_refusal_has_the_node_s_text(rpc: Rpc) -> None:
    with pytest.raises(NodeRefusedError, match="Method not found") as caught:
        rpc.call("nosuchmethod")
    assert caught.value.status == "-32601"


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b"null", b'{"result": {}}', b'{"result": null}', b"\xff\xfe"]
)
def test_an_invalid_response_is_an_error(content: bytes) -> None:
    with answering(lambda _: content) as url, pytest.raises(NodeError, match=url):
        Rpc(url).status()


def test_an_oversized_response_is_not_read() -> None:
    with answering(lambda _: b" " * 100_000) as url, pytest.raises(NodeError, match="more than 1000 bytes"):
        Rpc(url, bytes_max=1000).status()


def test_a_slow_response_has_a_total_time_limit() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(40):
                time.sleep(0.05)
                try:
                    peer.sendall(b" ")
                except OSError:
                    return

    threading.Thread(target=drip, daemon=True).start()
    began = time.monotonic()
    with pytest.raises(NodeError, match=r"in 0\.3 s"):
        Rpc(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_seconds=0.3).status()
    assert time.monotonic() - began < 1.5
    listener.close()


@pytest.mark.parametrize("url", ["", "127.0.0.1:26657", "tcp://127.0.0.1:26657", "http://"])
def test_an_invalid_address_has_advice(url: str) -> None:
    with pytest.raises(ValueError, match="http://host:26657"):
        Rpc(url)


def test_times_are_unix_seconds() -> None:
    assert unix_seconds("1970-01-01T00:00:01Z") == 1.0
    assert unix_seconds("1970-01-01T00:00:01.5Z") == 1.5
    assert unix_seconds("1970-01-01T00:00:01.123456789Z") == pytest.approx(1.123456)


def test_a_status_is_small() -> None:
    large = json.dumps({"result": {"padding": "x" * STATUS_BYTES_MAX}}).encode()
    with answering(lambda _: large) as url:
        with pytest.raises(TooLargeError, match="sent more than 1048576 bytes"):
            Rpc(url).status()
        assert Rpc(url).call("block")["padding"]


def test_a_deeply_nested_response_is_an_error() -> None:
    with answering(lambda _: b"[" * 200_000) as url, pytest.raises(NodeError, match="sent an unreadable"):
        Rpc(url).status()
