"""Readings: what a source showed, or why it is unseen. An unseen source is never taken for an empty one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from reconciler.values.text import clean_fields

View = TypeVar("View", covariant=True)


@dataclass(frozen=True, slots=True)
class Seen(Generic[View]):
    """A complete view of one source at one time."""

    view: View


@dataclass(frozen=True, slots=True)
class Unseen:
    """The source is unseen; `why` says what failed and what to do, `reason` is the hold's reason if it has a
    special one (AuthFailure).
    """

    why: str
    reason: str = ""

    def __post_init__(self) -> None:
        """Bound and clean text from outside."""
        clean_fields(self, "why", "reason")


Reading = Seen[View] | Unseen


CHAIN = "chain"
"""The source of orders, leases and money."""


def workloads_source(adapter: str) -> str:
    """The source of an adapter's workloads."""
    return f"{adapter} workloads"
