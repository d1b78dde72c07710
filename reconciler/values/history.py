"""The desired and the status history: commits of the two branches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.values.repository import reverted_commit

_TRAILER = re.compile(r"([A-Z][A-Za-z]*-[A-Z][A-Za-z]*): (\S.*)")


@dataclass(frozen=True, slots=True)
class DesiredRevision:
    """A commit of the desired branch; `at` in unix seconds is the committer's, `files` are those that it
    changed (a merge: against its first parent).
    """

    id: str
    parents: tuple[str, ...] = ()
    author: str = ""
    email: str = ""
    at: int = 0
    message: str = ""
    files: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The first line of its message."""
        return self.message.strip().split("\n", 1)[0]

    @property
    def reverts(self) -> str:
        """The commit that it reverts, "" for none."""
        return reverted_commit(self.message)


@dataclass(frozen=True, slots=True)
class StatusRevision:
    """A commit of the status branch: the events of its message as `lines`, and its trailers. `held` are
    revisions that waited, the one that waited at that time last; `height` is 0 if the chain was not seen.
    """

    id: str
    at: int
    lines: tuple[str, ...]
    files: tuple[str, ...] = ()
    revision: str = ""
    held: tuple[str, ...] = ()
    plan_digest: str = ""
    transactions: tuple[str, ...] = ()
    height: int = 0


def status_revision(commit: DesiredRevision) -> StatusRevision:
    """Parses a commit of the status branch; lines that are not trailers are events."""
    body, _, last = commit.message.strip().rpartition("\n\n")
    found = list(_trailers(last))
    if not found:
        body, found = commit.message.strip(), []
    named = dict(found)
    height = named.get("Chain-Height", "")
    return StatusRevision(
        id=commit.id,
        at=commit.at,
        lines=tuple(_event_lines(body)),
        files=commit.files,
        revision=named.get("Desired-Revision", ""),
        held=tuple(value for name, value in found if name == "Held-Revision"),
        plan_digest=named.get("Plan-Digest", ""),
        transactions=tuple(value for name, value in found if name == "Tx-Hash"),
        height=int(height) if height.isdecimal() and len(height) < 20 else 0,
    )


def _trailers(paragraph: str) -> Iterator[tuple[str, str]]:
    """Name and value of each line; nothing if any line is not a trailer."""
    lines = paragraph.split("\n")
    matches = [match for line in lines if (match := _TRAILER.fullmatch(line))]
    if len(matches) == len(lines):
        yield from ((match[1], match[2]) for match in matches)


def _event_lines(body: str) -> Iterator[str]:
    """The lines of the body; the subject, which only sums them up, if there is no body."""
    subject, _, rest = body.partition("\n\n")
    lines = rest.split("\n") if rest.strip() else [subject]
    yield from (line for line in lines if line.strip())
