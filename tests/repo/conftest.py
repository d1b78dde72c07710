"""A repository and our own place of state, for each test anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.repo.mirror import Mirror
from reconciler.repo.place import Place
from reconciler.repo.repository import GitRepository
from tests.repo.forge import Forge


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return Forge.make(tmp_path / "forge")


@pytest.fixture
def place(forge: Forge) -> Place:
    return Place(str(forge.path))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def mirror(place: Place, state: Path) -> Mirror:
    return Mirror(place, state)


@pytest.fixture
def repository(place: Place, state: Path) -> GitRepository:
    return GitRepository(place, state)
