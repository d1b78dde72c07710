"""Desired commits joined with status commits: when each was applied, and what it did. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconciler.values.history import DesiredRevision, StatusRevision


class CommitFate(StrEnum):
    """The outcome of a commit. SUPERSEDED was held until a later one came; UNKNOWN: no status branch."""

    IN_FORCE = "in force"
    APPLIED = "applied"
    HELD = "held"
    SUPERSEDED = "superseded"
    WAITING = "not applied yet"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A commit of the desired branch and its outcome. `applied` is the first status commit after it was
    applied, `revision` the commit that was applied (a later one, if several came at once), `held` the first
    status commit that reports it as held, and `did` those made while it was in force, oldest first.
    """

    asked: DesiredRevision
    fate: CommitFate
    revision: str = ""
    applied: StatusRevision | None = None
    held: StatusRevision | None = None
    did: tuple[StatusRevision, ...] = ()

    @property
    def held_words(self) -> str:
        """The line that reports this commit as held; "" if it was not."""
        said = self.held.says if self.held else ()
        return next((line for line in said if f" {self.asked.id[:12]} " in line), "")

    @property
    def is_revision(self) -> bool:
        """Whether it was evaluated by itself, not as part of a later one."""
        return self.revision == self.asked.id or self.held is not None


def chronicle(asked: Sequence[DesiredRevision], told: Sequence[StatusRevision]) -> tuple[HistoryEntry, ...]:
    """Every desired commit, newest first; both histories come newest first. After a rewrite, applied commits
    that no longer exist come last, with their id only.
    """
    oldest_first = tuple(reversed(told))
    did: dict[str, list[StatusRevision]] = {}
    held: dict[str, StatusRevision] = {}
    for each in oldest_first:
        did.setdefault(each.revision, []).append(each)
        for commit in each.held:
            held.setdefault(commit, each)
    carried = _carried(asked, [revision for revision in did if revision])
    known = {each.id for each in asked}
    lost = (DesiredRevision(revision) for revision in did if revision not in known)
    last = told[0] if told else None
    return tuple(_entry(each, _Told(did, held, carried, last)) for each in (*asked, *lost))


@dataclass(frozen=True, slots=True)
class _Told:
    """The status branch by revision; `carried` maps a commit to the revision that included it."""

    did: Mapping[str, Sequence[StatusRevision]]
    held: Mapping[str, StatusRevision]
    carried: Mapping[str, str]
    last: StatusRevision | None


def _entry(asked: DesiredRevision, told: _Told) -> HistoryEntry:
    revision = told.carried.get(asked.id, asked.id if asked.id in told.did else "")
    held = told.held.get(asked.id)
    did = told.did.get(asked.id, ())
    applied = told.did[revision][0] if revision else None
    return HistoryEntry(asked, _fate(asked, revision, told), revision, applied, held, tuple(did))


def _fate(asked: DesiredRevision, revision: str, told: _Told) -> CommitFate:
    if told.last is None:
        return CommitFate.UNKNOWN
    if revision != asked.id and asked.id in told.held:
        still = not revision and told.last.held[-1:] == (asked.id,)
        return CommitFate.HELD if still else CommitFate.SUPERSEDED
    if not revision:
        return CommitFate.WAITING
    return CommitFate.IN_FORCE if revision == told.last.revision else CommitFate.APPLIED


def _carried(asked: Iterable[DesiredRevision], revisions: Iterable[str]) -> Mapping[str, str]:
    """For each commit, the first applied revision that includes it."""
    parents = {each.id: each.parents for each in asked}
    found: dict[str, str] = {}
    for revision in revisions:
        todo = [revision]
        while todo:
            commit = todo.pop()
            if commit in parents and commit not in found:
                found[commit] = revision
                todo.extend(parents[commit])
    return found


def since(entries: Iterable[HistoryEntry], start: int) -> Iterator[HistoryEntry]:
    """Entries since `start` (unix seconds)."""
    for each in entries:
        did = tuple(told for told in each.did if told.at >= start)
        moments = [m.at for m in (each.asked, each.applied, each.held) if m is not None]
        if did or any(at >= start for at in moments):
            yield HistoryEntry(each.asked, each.fate, each.revision, each.applied, each.held, did)
