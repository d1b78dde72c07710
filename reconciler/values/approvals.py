"""Approvals: permissions of the host owner for named effects to exceed one limit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

SHOWN = 16
"""Digits of a digest that a hold's message shows."""
NAMED_MAX = 5
"""Objects that a message lists."""


def list_names(objects: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = len(objects) - NAMED_MAX
    return ", ".join(objects[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit of the host file that a revision exceeds: `limit` is its key, `value` its value as written
    there, `objects` describes each affected object and what happens to it, without heights or times, so that
    it is stable.

    The digest covers the effect and not `revision`: a pull request's head and its merge commit have the same
    digest.
    """

    revision: str
    limit: str
    value: str
    objects: tuple[str, ...]

    @property
    def digest(self) -> str:
        """64 hex digits over limit, value and objects, in any order."""
        content = json.dumps([self.limit, self.value, sorted(self.objects)])
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def object_list(self) -> str:
        """The first objects, and how many more there are."""
        return list_names(self.objects)

    @property
    def command(self) -> str:
        """The command that approves it on the host."""
        return f"provider-daemon approve {self.digest[:SHOWN]}"


@dataclass(frozen=True, slots=True)
class Approval:
    """The host owner's approval of an exceeded limit: the account on the host that gave it, and when (unix
    seconds of the host).
    """

    breach: Breach
    by: str
    at: int

    def describe(self) -> str:
        """One sentence."""
        breach = self.breach
        what = f"commit {breach.revision[:12]} to exceed {breach.limit} ({breach.value})"
        return f"{self.by} approved {what}: {breach.object_list}"
