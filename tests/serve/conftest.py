"""Servers on free loopback ports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.serve.board import Board
from reconciler.serve.starting import Started
from tests.serve.playing import Bellows, FakeHistory, FakeInspector, serve
from tests.serve.worlds import FULL


@pytest.fixture
def board() -> Board:
    return Board(FULL)


@pytest.fixture
def inspector() -> FakeInspector:
    return FakeInspector()


@pytest.fixture
def history() -> FakeHistory:
    return FakeHistory()


@pytest.fixture
def bellows() -> Bellows:
    return Bellows()


@pytest.fixture
def servers(
    board: Board, inspector: FakeInspector, history: FakeHistory, bellows: Bellows
) -> Iterator[Started]:
    running = serve(board, inspector, history, bellows)
    yield running
    running.stop()
