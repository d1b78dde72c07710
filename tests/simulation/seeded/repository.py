"""A state repository in memory: its history, and the branches that the daemon pushes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.values.outcomes import Done, Outcome
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.repository import LAST_EVENT_TRAILER, BranchCommit, Commit, CommitHeader


def object_id(*parts: object) -> str:
    """An id as git's."""
    return hashlib.sha1(repr(parts).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class StoredCommit:
    """A commit of the desired branch with its contents."""

    id: str
    parent: str
    subject: str
    committed_at: int
    files: Mapping[str, bytes]

    def header(self) -> CommitHeader:
        """The commit without its files."""
        return CommitHeader(self.id, "operator", self.subject)


@dataclass(frozen=True, slots=True)
class PushedCommit:
    """A commit of a branch that the daemon writes."""

    id: str
    files: Mapping[str, bytes]
    message: str
    trailers: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Remote:
    """What is on the forge: the desired branch, and the daemon's branches."""

    commits: dict[str, StoredCommit] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    """Files by blob."""
    tip: str = ""
    branches: dict[str, list[PushedCommit]] = field(default_factory=dict)
    pushes: int = 0

    def commit(self, subject: str, at: int, changes: Mapping[str, str | None], parent: str = "") -> str:
        """Commit to the desired branch, on its tip or on an older commit, which rewrites the branch."""
        base = parent or self.tip
        files = dict(self.commits[base].files) if base else {}
        for path, text in changes.items():
            if text is None:
                files.pop(path, None)
            else:
                files[path] = text.encode()
        made = StoredCommit(object_id(base, subject, at, sorted(files.items())), base, subject, at, files)
        self.commits[made.id] = made
        self.contents.update((object_id(content), content) for content in files.values())
        self.tip = made.id
        return made.id

    @property
    def files(self) -> Mapping[str, bytes]:
        """The files of the newest commit."""
        return self.commits[self.tip].files

    def line(self, tip: str) -> Iterator[StoredCommit]:
        """A commit and its ancestors, newest first."""
        while tip:
            yield self.commits[tip]
            tip = self.commits[tip].parent


class MemoryRepository:
    """`ports.Repo` on a remote in memory; `applied` and `fetched` are the mirror's references on the host."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self._applied = ""
        self._fetched = ""
        self._read: dict[str, Commit] = {}

    def fetch(self, applied: str) -> Reading[tuple[Commit, ...]]:
        self._fetched = self.remote.tip
        return self.last_fetched(applied)

    def last_fetched(self, applied: str) -> Reading[tuple[Commit, ...]]:
        if not self._fetched:
            return Unseen("the repository was never read on this machine")
        if applied in self.remote.commits:
            self._applied = applied
        applied = applied or self._applied
        newest, known = self._commit(self._fetched), list(self.remote.line(self._fetched))
        if not applied or applied == newest.id:
            return Seen((newest,))
        ids = [each.id for each in known]
        if applied not in ids:
            rewritten = _with(newest, descends=False)
            return Seen(
                (rewritten, self._commit(applied)) if applied in self.remote.commits else (rewritten,)
            )
        between = tuple(each.header() for each in reversed(known[1 : ids.index(applied)]))
        return Seen((_with(newest, superseded=between), self._commit(applied)))

    def read(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        contents = self.remote.contents
        return {blob: contents[blob] for blob in blobs if blob in contents}

    def published_mark(self, branch: str) -> Reading[str]:
        pushed = self.remote.branches.get(branch)
        return Seen(dict(pushed[-1].trailers).get(LAST_EVENT_TRAILER, "") if pushed else "")

    def publish(self, commit: BranchCommit) -> Outcome:
        pushed = self.remote.branches.setdefault(commit.branch, [])
        if pushed and not commit.replaces and pushed[-1].files == commit.files:
            return Done()
        made = PushedCommit(
            object_id(commit.branch, len(pushed), commit.message, commit.trailers),
            dict(commit.files),
            commit.message,
            commit.trailers,
        )
        self.remote.pushes += not commit.replaces
        if commit.replaces:
            pushed.clear()
        pushed.append(made)
        return Done(made.id)

    def _commit(self, commit: str) -> Commit:
        if commit not in self._read:
            made = self.remote.commits[commit]
            self._read[commit] = Commit(
                id=commit,
                author="operator",
                subject=made.subject,
                committed_at=made.committed_at,
                files={path: object_id(content) for path, content in made.files.items()},
                sizes={path: len(content) for path, content in made.files.items()},
            )
        return self._read[commit]


def _with(commit: Commit, *, descends: bool = True, superseded: tuple[CommitHeader, ...] = ()) -> Commit:
    return Commit(
        commit.id,
        commit.author,
        commit.subject,
        commit.committed_at,
        commit.files,
        commit.sizes,
        descends=descends,
        superseded=superseded,
    )
