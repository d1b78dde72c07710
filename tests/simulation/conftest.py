"""The middle of the story, started once; each test goes on from a copy of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.outside import Outside, WorldState
from tests.simulation.runs import Reference, record
from tests.simulation.sim import Simulation, middle, started


@pytest.fixture(scope="session")
def mid_run(tmp_path_factory: pytest.TempPathFactory) -> WorldState:
    """The world in the middle of the scenario."""
    return middle(tmp_path_factory.mktemp("middle"))


@pytest.fixture
def sim(mid_run: WorldState, tmp_path: Path) -> Iterator[Simulation]:
    """A daemon in a copy of the world."""
    with started(Outside.at(mid_run, tmp_path / "world")) as made:
        yield made


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Simulation]:
    """A daemon in a new world."""
    with started(Outside(tmp_path / "world").begin()) as made:
        yield made


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reference]:
    directory = tmp_path_factory.mktemp("story")
    yield record(directory)
    shutil.rmtree(directory)
