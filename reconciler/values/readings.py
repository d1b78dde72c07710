"""Silence is not emptiness: what a source showed, or why it showed nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from reconciler.values.text import clean_fields

View = TypeVar("View", covariant=True)


@dataclass(frozen=True, slots=True)
class Seen(Generic[View]):
    """The whole view of one aspect at one moment."""

    view: View


@dataclass(frozen=True, slots=True)
class Unseen:
    """Nothing is known; `why` is a sentence that says what failed and what to do, `reason` the operator's
    word for it, where there is one (AuthFailure).
    """

    why: str
    reason: str = ""

    def __post_init__(self) -> None:
        """Bound and clean what quotes an answer."""
        clean_fields(self, "why", "reason")


Reading = Seen[View] | Unseen
