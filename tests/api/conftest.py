"""Servers on free loopback ports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.api.startup import Started
from reconciler.runtime.snapshot_store import SnapshotStore
from tests.api.playing import Bellows, FakeHistory, FakeInspector, serve
from tests.api.worlds import FULL


@pytest.fixture
def board() -> SnapshotStore:
    return SnapshotStore(FULL)


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
    board: SnapshotStore, inspector: FakeInspector, history: FakeHistory, bellows: Bellows
) -> Iterator[Started]:
    running = serve(board, inspector, history, bellows)
    yield running
    running.stop()
