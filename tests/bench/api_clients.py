"""Clients of the API in a program of their own: at a steady rate, or as fast as they are answered.

`python -m tests.bench.api_clients steady HOST PORT RATE SECONDS PATH...` and
`... most HOST PORT SECONDS PATH` print their figures as JSON.
"""

from __future__ import annotations

import itertools
import json
import socket
import sys
import threading
import time
from collections.abc import Callable

CONNECTIONS = 16
PIECE_BYTES = 1 << 20


class Connection:
    """A kept-alive connection that sends requests and reads whole answers with little overhead."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._room = bytearray(PIECE_BYTES)

    def ask(self, path: str) -> int:
        """The body's size in bytes; the answer must be 200."""
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        got = b""
        while b"\r\n\r\n" not in got:
            count = self._socket.recv_into(self._room)
            assert count, "it broke off"
            got += self._room[:count]
        head, _, body = got.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        left = length - len(body)
        while left:
            count = self._socket.recv_into(self._room, min(left, PIECE_BYTES))
            assert count, "it broke off"
            left -= count
        return length


def steady(host: str, port: int, rate: float, seconds: float, paths: list[str]) -> dict[str, object]:
    """Send requests at fixed times, regardless of pending answers, so that queueing counts."""
    took: dict[str, list[float]] = {path: [] for path in paths}
    sizes: dict[str, int] = {}
    numbers = itertools.count()
    began = time.perf_counter() + 0.5

    def work(connection: Connection) -> None:
        while (number := next(numbers)) < rate * seconds:
            due, path = began + number / rate, paths[number % len(paths)]
            time.sleep(max(due - time.perf_counter(), 0))
            sizes[path] = connection.ask(path)
            took[path].append(1000 * (time.perf_counter() - due))

    _at_once(host, port, work)
    return {path: {"ms": sorted(times), "bytes": sizes[path]} for path, times in took.items()}


def most(host: str, port: int, seconds: float, path: str) -> dict[str, object]:
    """Send a request after each answer; requests a second."""
    counts: list[int] = []
    end = time.perf_counter() + seconds

    def work(connection: Connection) -> None:
        count = 0
        while time.perf_counter() < end:
            connection.ask(path)
            count += 1
        counts.append(count)

    _at_once(host, port, work)
    return {"rate": sum(counts) / seconds}


def _at_once(host: str, port: int, work: Callable[[Connection], None]) -> None:
    connections = [Connection(host, port) for _ in range(CONNECTIONS)]
    threads = [threading.Thread(target=work, args=(each,)) for each in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(words: list[str]) -> None:
    """The command line."""
    kind, host, port, *rest = words
    if kind == "steady":
        found = steady(host, int(port), float(rest[0]), float(rest[1]), rest[2:])
    else:
        found = most(host, int(port), float(rest[0]), rest[1])
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
