"""The decision on a revision as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class VerdictKind(StrEnum):
    """APPLIED is in force; HELD waits for the approval of the owner; REFUSED needs another commit, or another
    host file; SUPERSEDED was not applied before a newer
    commit arrived.
    """

    APPLIED = "applied"
    HELD = "held"
    REFUSED = "refused"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class RevisionVerdict:
    """A commit of the desired branch and its verdict; `why` it is not applied, or who approved it; `reverts`
    is the commit that it reverts ("": none).
    """

    commit: str
    author: str
    subject: str
    verdict: VerdictKind
    why: str = ""
    reverts: str = ""

    def describe(self) -> str:
        """One sentence."""
        taken_back = f", which reverts {self.reverts[:12]}" if self.reverts else ""
        subject = f": {self.subject}" if self.subject else ""
        by = f" by {self.author}" if self.author else ""
        why = f" ({self.why})" if self.why else ""
        return f"{self.verdict.capitalize()} commit {self.commit[:12]}{by}{taken_back}{subject}{why}"
