"""Desired commits joined with the status commits that followed them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.values.history import DesiredRevision, StatusRevision


class CommitOutcome(StrEnum):
    """The outcome of a commit. SUPERSEDED: held until a later one came; UNKNOWN: no status branch."""

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
    status commit that reports it as held, and `status_commits` those made while it was in force, oldest
    first.
    """

    desired: DesiredRevision
    outcome: CommitOutcome
    revision: str = ""
    applied: StatusRevision | None = None
    held: StatusRevision | None = None
    status_commits: tuple[StatusRevision, ...] = ()

    @property
    def held_message(self) -> str:
        """The line that reports this commit as held; "" if it was not."""
        lines = self.held.lines if self.held else ()
        return next((line for line in lines if f" {self.desired.id[:12]} " in line), "")

    @property
    def is_revision(self) -> bool:
        """Whether it was evaluated by itself, not as part of a later one."""
        return self.revision == self.desired.id or self.held is not None


def join_histories(
    desired: Sequence[DesiredRevision], published: Sequence[StatusRevision]
) -> tuple[HistoryEntry, ...]:
    """An entry for each desired commit, newest first, as both histories are. After a rewrite, applied commits
    that no longer exist come last, with their id only.
    """
    made: dict[str, list[StatusRevision]] = {}
    held: dict[str, StatusRevision] = {}
    for each in reversed(published):
        made.setdefault(each.revision, []).append(each)
        for commit in each.held:
            held.setdefault(commit, each)
    carried = _applied_by(desired, [revision for revision in made if revision])
    known = {each.id for each in desired}
    lost = (DesiredRevision(revision) for revision in made if revision not in known)
    index = _StatusIndex(made, held, carried, published[0] if published else None)
    return tuple(_entry(each, index) for each in (*desired, *lost))


@dataclass(frozen=True, slots=True)
class _StatusIndex:
    """The status branch by revision; `carried` maps a commit to the revision that included it."""

    made: Mapping[str, Sequence[StatusRevision]]
    held: Mapping[str, StatusRevision]
    carried: Mapping[str, str]
    last: StatusRevision | None


def _entry(desired: DesiredRevision, index: _StatusIndex) -> HistoryEntry:
    revision = index.carried.get(desired.id, desired.id if desired.id in index.made else "")
    held = index.held.get(desired.id)
    applied = index.made[revision][0] if revision else None
    made = tuple(index.made.get(desired.id, ()))
    return HistoryEntry(desired, _outcome(desired, revision, index), revision, applied, held, made)


def _outcome(desired: DesiredRevision, revision: str, index: _StatusIndex) -> CommitOutcome:
    if index.last is None:
        return CommitOutcome.UNKNOWN
    if revision != desired.id and desired.id in index.held:
        still = not revision and index.last.held[-1:] == (desired.id,)
        return CommitOutcome.HELD if still else CommitOutcome.SUPERSEDED
    if not revision:
        return CommitOutcome.WAITING
    return CommitOutcome.IN_FORCE if revision == index.last.revision else CommitOutcome.APPLIED


def _applied_by(desired: Iterable[DesiredRevision], revisions: Iterable[str]) -> Mapping[str, str]:
    """For each commit, the first applied revision that includes it."""
    parents = {each.id: each.parents for each in desired}
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
        recent = tuple(commit for commit in each.status_commits if commit.at >= start)
        commits = (each.desired, each.applied, each.held)
        if recent or any(commit.at >= start for commit in commits if commit):
            yield replace(each, status_commits=recent)
