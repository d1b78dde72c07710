"""A forge for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.forge.fake import FakeForge, serving


@pytest.fixture
def fake() -> Iterator[FakeForge]:
    """A small forge on loopback."""
    with serving(FakeForge()) as forge:
        yield forge
