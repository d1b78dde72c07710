"""Commits that the repository reads and writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_REVERT = re.compile(r"^This reverts commit ([0-9a-f]{7,64})(?=[.,]| \()", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CommitHeader:
    """A commit whose files are not read; `reverts` is the commit that it reverts ("": none)."""

    id: str
    author: str = ""
    subject: str = ""
    reverts: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the desired branch: its files (path below the provider's folder -> blob id), sizes in
    bytes, odd entries with the reason why they are not read, and the commit that it reverts. `signer` and
    `superseded` are set for the newest only; the latter are the commits on its first-parent line after the
    applied one, oldest first.
    """

    id: str
    author: str
    subject: str
    committed_at: int
    files: Mapping[str, str]
    sizes: Mapping[str, int] = field(default_factory=dict)
    unread_entries: Mapping[str, str] = field(default_factory=dict)
    descends: bool = True
    signer: str | None = None
    reverts: str = ""
    superseded: tuple[CommitHeader, ...] = ()


LAST_EVENT_TRAILER = "Last-Event"
"""The trailer of a status commit with the mark of the last event that it covers."""


@dataclass(frozen=True, slots=True)
class BranchCommit:
    """The complete content of a branch that we write, and the commit message.

    `replaces`: the branch consists of this commit alone, as a snapshot has no history.
    """

    branch: str
    files: Mapping[str, bytes]
    message: str
    trailers: tuple[tuple[str, str], ...] = ()
    replaces: bool = False


def reverted_commit(message: str) -> str:
    """The id (short if `git revert --reference` wrote it) of the commit that this one reverts, "" for none;
    the first of several. The revert of a merge reads "..., reversing changes made to ...".
    """
    found = _REVERT.search(message.replace("\r\n", "\n"))
    return found[1] if found else ""
