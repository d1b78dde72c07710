"""The form of a story's step: what is done, what must be seen, and what is said when it is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.devnet.faults import DevnetError
from reconciler.devnet.stage import Stage


class StoryError(DevnetError):
    """A step that was not seen; `step` is its name."""

    def __init__(self, step: str, why: str) -> None:
        super().__init__(f"step `{step}`: {why}")
        self.step = step


def nothing(_: Stage) -> None:
    """The step only watches."""


@dataclass(frozen=True, slots=True)
class Step:
    """`tells` is said before `act`; `seen` gives a sentence once the effect is seen, "" until then; after
    `blocks` blocks without it the story fails with `missing`.
    """

    name: str
    tells: str
    seen: Callable[[Stage], str]
    missing: str
    act: Callable[[Stage], None] = nothing
    blocks: int = 20
