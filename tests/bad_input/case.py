"""A case of bad input, and the workspace in which it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.simulation.outside import WorldState


@dataclass(frozen=True)
class Workspace:
    """A directory, and a simulation in the middle of its story to continue from.

    A case puts into `values` what varies in its message.
    """

    path: Path
    mid_run: WorldState
    monkeypatch: pytest.MonkeyPatch
    values: dict[str, object] = field(default_factory=dict)


Run = Callable[[Workspace], str]
"""Provokes the failure, asserts what continues and that it recovers, and returns the message."""


@dataclass(frozen=True)
class Case:
    """An input, how to provoke it, the exact message (with {} for `values`), and what continues."""

    name: str
    run: Run
    message: str
    continues: str
