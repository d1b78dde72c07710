"""Many, idle and slow clients, and clients that never read: others are not delayed."""

from __future__ import annotations

import asyncio
import http.client
import socket
import time
from collections import Counter
from dataclasses import replace

import pytest

from reconciler.api import server
from reconciler.api.startup import Started
from reconciler.runtime import connections
from reconciler.runtime.connection_limits import LOCAL_GRACE_SECONDS, ConnectionLimits
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.listen_address import ListenAddress
from reconciler.values.snapshot import Snapshot
from tests.api.fake_sources import serve
from tests.api.http_client import http_request
from tests.api.snapshots import FULL, lease, workload_of

QUICK_SECONDS = 2.0


def many(count: int) -> Snapshot:
    """A snapshot with so many workloads."""
    leases = [lease(2_000_000 + n) for n in range(count)]
    return replace(FULL, workloads=tuple(map(workload_of, leases)))


def assert_responds(at: ListenAddress) -> None:
    """Another client gets a response without delay."""
    began = time.monotonic()
    assert http_request(at, "/api/v1/status").code == 200
    assert time.monotonic() - began < QUICK_SECONDS


def never_reading(at: ListenAddress, path: str) -> socket.socket:
    """A client that sends a request and never reads, with a small receive buffer."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.settimeout(20)
    made.connect((at.host, at.port))
    made.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return made


def is_cut(peer: socket.socket, seconds: float = 10) -> bool:
    """Whether the server ends a connection that still has much to read."""
    end = time.monotonic() + seconds
    got = 0
    while time.monotonic() < end:
        try:
            piece = peer.recv(65_536)
        except ConnectionError:
            return True
        if not piece:
            return got < 1_000_000
        got += len(piece)
    return False


def test_clients_that_never_read_are_disconnected(
    snapshots: SnapshotStore, servers: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "STALLED_SECONDS", 0.3)
    snapshots.publish(many(5_000))
    at = servers.ports.api
    peers = [never_reading(at, "/api/v1/workloads") for _ in range(20)]
    assert_responds(at)
    time.sleep(1)
    assert all(is_cut(peer) for peer in peers)
    for peer in peers:
        peer.close()
    assert_responds(at)


def test_a_slow_reader_gets_the_whole_response(
    snapshots: SnapshotStore, servers: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "STALLED_SECONDS", 1.5)
    snapshots.publish(many(6_000))
    at = servers.ports.api
    whole = http_request(at, "/api/v1/workloads").body
    slow = never_reading(at, "/api/v1/workloads")
    got = b""
    while not got.endswith(whole[-40:]) and (received := slow.recv(32_768)):
        got += received
        time.sleep(0.005)
    slow.close()
    assert got.endswith(whole)


def test_streams_of_clients_that_never_read_are_closed(
    snapshots: SnapshotStore, servers: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "STALLED_SECONDS", 0.3)
    monkeypatch.setattr("reconciler.api.page.event_stream.INTERVAL_SECONDS", 0.0)
    peer = never_reading(servers.ports.api, "/api/v1/stream")
    end = time.monotonic() + 20
    cut = False
    while not cut and time.monotonic() < end:
        for n in range(50):
            snapshots.publish(replace(many(200), height=n))
            time.sleep(0.01)
        time.sleep(0.5)
        cut = is_cut(peer, 1)
    peer.close()
    assert cut
    assert_responds(servers.ports.api)


def test_a_thousand_concurrent_clients_get_responses(servers: Started) -> None:
    at = servers.ports.api

    async def one() -> int:
        reader, writer = await asyncio.open_connection(at.host, at.port)
        writer.write(b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        line = await reader.readline()
        while await reader.read(65_536):
            pass
        writer.close()
        return int(line.split()[1])

    async def all_of_them() -> Counter[int]:
        return Counter(await asyncio.gather(*(one() for _ in range(1_000))))

    codes = asyncio.run(all_of_them())
    assert set(codes) <= {200, 503}
    assert codes[200] >= 900
    assert_responds(at)


def test_idle_connections_are_closed_for_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "KEEPALIVE_SECONDS", 0.3)
    monkeypatch.setattr(connections, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(server, "CONNECTION_LIMITS", ConnectionLimits(8, 8, 0))
    started = serve()
    try:
        at = started.ports.api
        silent = [socket.create_connection((at.host, at.port), timeout=20) for _ in range(8)]
        silent[0].sendall(b"GET / HT")
        response = http_request(at, "/healthz")
        assert response.code == 503
        assert response.tree["error"] == "too many connections are open"
        end = time.monotonic() + 10
        while http_request(at, "/healthz").code != 200:
            assert time.monotonic() < end
            time.sleep(0.1)
        for each in silent:
            each.close()
    finally:
        started.stop()


def connected(at: ListenAddress, source: str, begin: bytes = b"") -> socket.socket:
    """A connection from one of this machine's addresses, with the beginning of a request."""
    made = socket.create_connection((at.host, at.port), timeout=20, source_address=(source, 0))
    made.sendall(begin)
    return made


@pytest.mark.parametrize("begin", [b"", b"GET /healthz HTTP/1.1\r\nHost: local", b"\x16\x03"])
def test_slow_connections_of_one_address_do_not_exclude_others(servers: Started, begin: bytes) -> None:
    at = servers.ports.api
    slow = [connected(at, "127.0.0.2", begin) for _ in range(400)]
    for _ in range(20):
        assert_responds(at)
    other = connected(
        at, "127.0.0.3", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    assert other.recv(100).startswith(b"HTTP/1.1 200")
    for each in (*slow, other):
        each.close()


def test_slow_connections_of_many_addresses_leave_the_reserve(servers: Started) -> None:
    at = servers.ports.api
    slow = [connected(at, f"127.0.0.{2 + n % 100}", b"GET / HT") for n in range(500)]
    for _ in range(20):
        assert_responds(at)
    for each in slow:
        each.close()


def test_slow_local_connections_are_closed_after_the_grace(servers: Started) -> None:
    at = servers.ports.api
    slow = [connected(at, "127.0.0.1", b"GET / HT") for _ in range(300)]
    time.sleep(LOCAL_GRACE_SECONDS + 0.1)
    for _ in range(20):
        assert_responds(at)
    assert any(each.recv(100).startswith(b"HTTP/1.1 503") for each in slow[:5])
    for each in slow:
        each.close()


@pytest.mark.parametrize("path", ["/api/v1/reconcile", "/hooks/git"])
def test_an_overlong_body_is_refused_before_it_is_read(servers: Started, path: str) -> None:
    at = servers.ports.api
    connection = http.client.HTTPConnection(at.host, at.port, timeout=20)
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders(b"a few bytes")
    response = connection.getresponse()
    assert (response.status, b"a body of 1099511627776 bytes is too long" in response.read()) == (413, True)
    connection.close()
    assert_responds(at)
