"""A simulated chain for each test, stepped by the test alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.chain_backends import ChainWorld, simulated


@pytest.fixture
def world() -> Iterator[ChainWorld]:
    """Everybody has coins, and nothing has happened yet."""
    with simulated() as made:
        yield made
