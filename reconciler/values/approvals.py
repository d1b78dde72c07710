"""What the host's owner may let pass: one bound, passed by one revision, for exactly these objects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

SHOWN = 16
"""Digits of a digest that a hold's message shows."""
NAMED_MAX = 5
"""Objects that a sentence names."""


def named(objects: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(objects) - NAMED_MAX
    return ", ".join(objects[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Breach:
    """A bound of the host file that a revision exceeds: `limit` is its key, `bound` its value as written
    there, `objects` what it concerns, each with what happens to it. No height, no time, no order of others.

    The digest covers what would be done and not `revision`: a pull request's head and the merge commit that
    brings the same about have one digest.
    """

    revision: str
    limit: str
    bound: str
    objects: tuple[str, ...]

    @property
    def digest(self) -> str:
        """64 hex digits over limit, bound and objects; the order of the objects counts for nothing."""
        told = json.dumps([self.limit, self.bound, sorted(self.objects)])
        return hashlib.sha256(told.encode()).hexdigest()

    @property
    def named(self) -> str:
        """Its first objects, and how many more there are."""
        return named(self.objects)

    @property
    def command(self) -> str:
        """What the owner types on the host to let it pass."""
        return f"provider-daemon approve {self.digest[:SHOWN]}"


@dataclass(frozen=True, slots=True)
class Approval:
    """The word of the host's owner on a breach: whose account on the host said it, and when (unix seconds
    of the host).
    """

    breach: Breach
    by: str
    at: int

    def show(self) -> str:
        """One sentence."""
        breach = self.breach
        what = f"commit {breach.revision[:12]} passes {breach.limit} ({breach.bound})"
        return f"{self.by} approved on the host that {what}: {breach.named}"
