"""A repository and our own remote of state, for each test anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.git.mirror import Mirror
from reconciler.git.remote import Remote
from reconciler.git.repository import GitRepository
from tests.git.forge import Forge


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return Forge.make(tmp_path / "forge")


@pytest.fixture
def remote(forge: Forge) -> Remote:
    return Remote(str(forge.path))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def mirror(remote: Remote, state: Path) -> Mirror:
    return Mirror(remote, state)


@pytest.fixture
def repository(remote: Remote, state: Path) -> GitRepository:
    return GitRepository(remote, state)
