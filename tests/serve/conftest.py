"""Servers on free loopback ports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.serve.api import Api
from reconciler.serve.board import Board
from reconciler.serve.logs import LogDesk
from reconciler.serve.server import Servers, start_servers
from reconciler.values.listening import Listen
from reconciler.values.snapshot import WorkloadSnapshot
from tests.serve.worlds import FULL, NOON

ANY = Listen("127.0.0.1", 0)


def two_lines(workload: WorkloadSnapshot, lines: int) -> Iterator[bytes]:
    """Logs that say what was asked."""
    yield f"web: {workload.id}\n".encode()
    yield f"web: {lines} lines\n".encode()


@pytest.fixture
def board() -> Board:
    return Board(FULL)


@pytest.fixture
def servers(board: Board) -> Iterator[Servers]:
    running = start_servers(Api(board, LogDesk(two_lines), lambda: NOON), ANY, ANY)
    yield running
    running.stop()
