"""The middle of the story, played once; each test goes on from a copy of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.living import Reference, record
from tests.simulation.outside import Moment, Outside
from tests.simulation.playing import Play, middle, played


@pytest.fixture(scope="session")
def midway(tmp_path_factory: pytest.TempPathFactory) -> Moment:
    """The world in the middle of the story."""
    return middle(tmp_path_factory.mktemp("middle"))


@pytest.fixture
def play(midway: Moment, tmp_path: Path) -> Iterator[Play]:
    """A daemon in a copy of it."""
    with played(Outside.at(midway, tmp_path / "world")) as made:
        yield made


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Play]:
    """A daemon in a world in which nothing has happened yet."""
    with played(Outside(tmp_path / "world").begin()) as made:
        yield made


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reference]:
    directory = tmp_path_factory.mktemp("story")
    yield record(directory)
    shutil.rmtree(directory)
