"""What a trouble plays on, and the noun of a row of the table of bad input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.simulation.outside import Moment


@dataclass(frozen=True)
class Ground:
    """A directory, a world in the middle of its story to go on from, and what may be patched.

    `places` is filled in by the trouble: what its message names that is another each time.
    """

    path: Path
    midway: Moment
    patch: pytest.MonkeyPatch
    places: dict[str, object] = field(default_factory=dict)


Show = Callable[[Ground], str]
"""Makes the trouble, asserts that the rest goes on and what happens once it is over, gives what was told."""


@dataclass(frozen=True)
class Row:
    """An input, the trouble that it is, the exact message ({} around what `places` has), what goes on."""

    name: str
    show: Show
    told: str
    goes_on: str
