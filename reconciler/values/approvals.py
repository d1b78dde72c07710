"""Approvals: the host's owner permits one revision to exceed one bound for exactly these objects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

SHOWN = 16
"""Digits of a digest that a hold's message shows."""
NAMED_MAX = 5
"""Objects that a message lists."""


def named(objects: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = len(objects) - NAMED_MAX
    return ", ".join(objects[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Breach:
    """A bound of the host file that a revision exceeds: `limit` is its key, `bound` its value as written
    there, `objects` describes each affected object and what happens to it, independent of height, time and
    orders.

    The digest covers the effect and not `revision`: a pull request's head and its merge commit have the same
    digest.
    """

    revision: str
    limit: str
    bound: str
    objects: tuple[str, ...]

    @property
    def digest(self) -> str:
        """64 hex digits over limit, bound and objects, in any order."""
        told = json.dumps([self.limit, self.bound, sorted(self.objects)])
        return hashlib.sha256(told.encode()).hexdigest()

    @property
    def named(self) -> str:
        """The first objects, and how many more there are."""
        return named(self.objects)

    @property
    def command(self) -> str:
        """The command that approves it on the host."""
        return f"provider-daemon approve {self.digest[:SHOWN]}"


@dataclass(frozen=True, slots=True)
class Approval:
    """The owner's approval of a breach: the account on the host that gave it, and when (unix seconds of the
    host).
    """

    breach: Breach
    by: str
    at: int

    def show(self) -> str:
        """One sentence."""
        breach = self.breach
        what = f"commit {breach.revision[:12]} passes {breach.limit} ({breach.bound})"
        return f"{self.by} approved on the host that {what}: {breach.named}"
