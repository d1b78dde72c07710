"""A world of ports in memory for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cycle.worlds import Scenery, scenery


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scenery]:
    made = scenery(tmp_path)
    yield made
    made.journal.close()
