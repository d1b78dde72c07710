"""Servers on free loopback ports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.api.startup import Started
from reconciler.runtime.snapshot_store import SnapshotStore
from tests.api.fake_sources import FakeHistory, FakeInspector, WakeCounter, serve
from tests.api.snapshots import FULL


@pytest.fixture
def snapshots() -> SnapshotStore:
    return SnapshotStore(FULL)


@pytest.fixture
def inspector() -> FakeInspector:
    return FakeInspector()


@pytest.fixture
def history() -> FakeHistory:
    return FakeHistory()


@pytest.fixture
def wake() -> WakeCounter:
    return WakeCounter()


@pytest.fixture
def servers(
    snapshots: SnapshotStore, inspector: FakeInspector, history: FakeHistory, wake: WakeCounter
) -> Iterator[Started]:
    running = serve(snapshots, inspector, history, wake)
    yield running
    running.stop()
