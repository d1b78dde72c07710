"""What was asked for joined with what came of it: each commit, when it was applied, what it did. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconciler.values.chronicle import AskedCommit, ToldCommit


class Fate(StrEnum):
    """What became of a commit. SUPERSEDED was held until a later one came; UNKNOWN has no status branch."""

    IN_FORCE = "in force"
    APPLIED = "applied"
    HELD = "held"
    SUPERSEDED = "superseded"
    WAITING = "not applied yet"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Entry:
    """A commit of the desired branch and what came of it: `applied` first told it, `revision` is the commit
    that was applied (a later one, where several came at once), `held` first told that it waited, and `did` is
    what was told while it was in force, oldest first.
    """

    asked: AskedCommit
    fate: Fate
    revision: str = ""
    applied: ToldCommit | None = None
    held: ToldCommit | None = None
    did: tuple[ToldCommit, ...] = ()

    @property
    def held_words(self) -> str:
        """In what words it was told that this commit waits, "" where it did not."""
        said = self.held.says if self.held else ()
        return next((line for line in said if f" {self.asked.id[:12]} " in line), "")

    @property
    def is_revision(self) -> bool:
        """Whether it was looked at by itself, not as a part of a later one."""
        return self.revision == self.asked.id or self.held is not None


def chronicle(asked: Sequence[AskedCommit], told: Sequence[ToldCommit]) -> tuple[Entry, ...]:
    """Every commit asked for, newest first; both histories come newest first. Where history was rewritten,
    what was applied and is no longer there comes last, by its id alone.
    """
    oldest_first = tuple(reversed(told))
    did: dict[str, list[ToldCommit]] = {}
    held: dict[str, ToldCommit] = {}
    for each in oldest_first:
        did.setdefault(each.revision, []).append(each)
        for commit in each.held:
            held.setdefault(commit, each)
    carried = _carried(asked, [revision for revision in did if revision])
    known = {each.id for each in asked}
    lost = (AskedCommit(revision) for revision in did if revision not in known)
    last = told[0] if told else None
    return tuple(_entry(each, _Told(did, held, carried, last)) for each in (*asked, *lost))


@dataclass(frozen=True, slots=True)
class _Told:
    """What the status branch says, by revision; `carried` is which revision brought a commit."""

    did: Mapping[str, Sequence[ToldCommit]]
    held: Mapping[str, ToldCommit]
    carried: Mapping[str, str]
    last: ToldCommit | None


def _entry(asked: AskedCommit, told: _Told) -> Entry:
    revision = told.carried.get(asked.id, asked.id if asked.id in told.did else "")
    held = told.held.get(asked.id)
    did = told.did.get(asked.id, ())
    applied = told.did[revision][0] if revision else None
    return Entry(asked, _fate(asked, revision, told), revision, applied, held, tuple(did))


def _fate(asked: AskedCommit, revision: str, told: _Told) -> Fate:
    if told.last is None:
        return Fate.UNKNOWN
    if revision != asked.id and asked.id in told.held:
        still = not revision and told.last.held[-1:] == (asked.id,)
        return Fate.HELD if still else Fate.SUPERSEDED
    if not revision:
        return Fate.WAITING
    return Fate.IN_FORCE if revision == told.last.revision else Fate.APPLIED


def _carried(asked: Iterable[AskedCommit], revisions: Iterable[str]) -> Mapping[str, str]:
    """The first revision, in the order of being applied, that holds a commit."""
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


def since(entries: Iterable[Entry], start: int) -> Iterator[Entry]:
    """What was asked or told from then on (unix seconds)."""
    for each in entries:
        did = tuple(told for told in each.did if told.at >= start)
        moments = [m.at for m in (each.asked, each.applied, each.held) if m is not None]
        if did or any(at >= start for at in moments):
            yield Entry(each.asked, each.fate, each.revision, each.applied, each.held, did)
