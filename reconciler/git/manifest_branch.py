"""The branch of accepted manifests: written on this machine first, pushed later, never by force."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.git.backoff import Backoff
from reconciler.git.branch_writer import DURABLE, BranchWriter, FileCommit, blob_id
from reconciler.git.git_errors import git_error
from reconciler.git.manifest_rebase import IsNewer, ManifestRebase, Tips
from reconciler.git.mirror import Mirror, MirrorError
from reconciler.git.read import blobs
from reconciler.git.remote import Remote, check_branch
from reconciler.git.trees import tree_at, walk
from reconciler.values.outcomes import Done, Failed, Outcome

FOLDER = "tenants"
"""Folder of the state directory with the branch's own mirror: a tenant does not wait for a push to the remote
repository.
"""
ACCEPTED = "refs/reconciler/tenants"
PUSHED = "refs/reconciler/tenants-pushed"
FETCHED = "refs/reconciler/tenants-fetched"
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class BranchState:
    """The branch on this machine: its tip ("": none yet), blobs by path, how many commits are not pushed, and
    since when (unix seconds; 0: all are). `rewritten`: why it is not pushed although the remote answers.
    """

    tip: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    unpushed: int = 0
    unpushed_since: int = 0
    rewritten: str = ""
    is_known: bool = False
    """Whether the branch exists here, or does not exist in the remote repository."""


class OtherContentError(MirrorError):
    """Files are not those that the commits are based on; nothing was written."""


class ManifestBranch:
    """One branch. Thread-safe: `commit` waits for no network. What `commit` returned survives `kill -9`.

    Other writers of the branch in the remote repository are outrun: the branch gets this machine's content on
    top of theirs, except files of theirs that `is_newer` selects and that were not written here since the
    last push. A branch whose history was replaced there is left alone until it is removed.
    """

    def __init__(
        self,
        remote: Remote,
        state: Path,
        branch: str,
        backoff: Backoff | None = None,
        is_newer: IsNewer = lambda *_: False,
    ) -> None:
        self._branch, self._is_newer = check_branch(branch), is_newer
        self._mirror = Mirror(remote, state / FOLDER)
        self._writer = BranchWriter(self._mirror)
        self._outgoing = Mirror(remote, state / FOLDER, backoff)
        self._lock, self._push_lock = threading.Lock(), threading.Lock()
        self._state = BranchState()
        self._pushed = ""

    @property
    def state(self) -> BranchState:
        """The state after the last change."""
        return self._state

    def open(self) -> BranchState:
        """Read what this machine holds; again, after another process wrote it. Raises MirrorError."""
        with self._lock, self._mirror.locked():
            return self._load()

    def commit(
        self, commits: Sequence[FileCommit], based_on: Mapping[str, str] | None = None
    ) -> tuple[str, ...]:
        """Commit each; returns their ids, once they are on disk. MirrorError if that fails, or if it is not
        known yet whether the remote repository has the branch; OtherContentError if a path has another blob
        than `based_on` names.
        """
        with self._lock, self._mirror.locked():
            if self._tip() != self._state.tip:
                self._load()
            before = self._state
            if not before.is_known:
                raise MirrorError(f"{self._branch} was never read from {self._mirror.remote.redacted_url}")
            if any(before.files.get(path) != blob for path, blob in (based_on or {}).items()):
                raise OtherContentError(f"{self._branch} was written meanwhile; run the command again")
            made = self._writer.commit_each(commits, before.tip)
            self._move(ACCEPTED, made[-1], before.tip)
            files = dict(before.files)
            for each in commits:
                for path, content in each.files.items():
                    files.pop(path, None)
                    if content is not None:
                        files[path] = blob_id(content, self._mirror.object_format)
            since = before.unpushed_since or commits[0].at
            self._state = replace(
                before, tip=made[-1], files=files, unpushed=before.unpushed + len(made), unpushed_since=since
            )
            return made

    def read(self, wanted: Sequence[str]) -> Mapping[str, bytes]:
        """The bytes of blobs; unreadable ones are missing."""
        if not wanted:
            return {}
        with self._lock, self._mirror.locked():
            return blobs(self._mirror, wanted)

    def last_commits(self, trailer: str) -> Mapping[str, str]:
        """The last commit with each value of a trailer."""
        with self._lock, self._mirror.locked():
            if not self._state.tip:
                return {}
            form = f"--format=%H %(trailers:key={trailer},valueonly,separator=%x2C)"
            ran = self._mirror.run("log", "--reverse", form, "--end-of-options", self._state.tip)
        pairs = (line.partition(" ") for line in ran.text.splitlines())
        return {value: commit for commit, _, value in pairs if value}

    def synchronise(self) -> Outcome:
        """Make the remote repository's branch hold what this machine holds; at first, the other way round.
        Done with the commit that was pushed, "" if nothing was to do. Idempotent, also after a kill anywhere.
        """
        with self._push_lock:
            try:
                for _ in range(ATTEMPTS):
                    outcome = self._synchronise()
                    if outcome is not None:
                        return outcome
            except MirrorError as error:
                return Failed("PushFailed", str(error))
        return Failed("PublishOutrun", f"others pushed to {self._branch} {ATTEMPTS} times during this push")

    def close(self) -> None:
        """Kill the git commands that other threads wait for; all later calls fail."""
        self._mirror.close()
        self._outgoing.close()

    def _synchronise(self) -> Outcome | None:
        """One attempt; None if somebody else pushed meanwhile."""
        state = self.open()
        ref = f"refs/heads/{self._branch}"
        theirs = self._outgoing.remote_tips(ref).get(ref, "")
        if theirs and theirs != self._pushed and theirs != state.tip:
            self._outgoing.fetch(ref, FETCHED)
            if why := self._take(theirs):
                return Failed("RewrittenHistory", why)
        return self._push(ref, theirs)

    def _push(self, ref: str, theirs: str) -> Outcome | None:
        with self._lock, self._mirror.locked():
            tip = self._tip()
            if not tip or tip == theirs:
                if tip:
                    self._move(PUSHED, tip)
                self._load(is_known=True)
                return Done("")
        ran = self._outgoing.contact(
            "push", "--porcelain", "--no-verify", "--end-of-options", self._outgoing.url, f"{tip}:{ref}"
        )
        if ran.code != 0:
            outrun = "non-fast-forward" in ran.text + ran.errors or "fetch first" in ran.text + ran.errors
            return None if outrun else Failed("PushFailed", git_error(ran, self._mirror.remote))
        with self._lock, self._mirror.locked():
            self._move(PUSHED, tip)
            self._load()
        return Done(tip)

    def _take(self, theirs: str) -> str:
        """Put this machine's commits on the remote repository's tip; why not ("": done)."""
        with self._lock, self._mirror.locked():
            tip, mirror = self._tip(), self._mirror
            if not tip:
                self._move(ACCEPTED, theirs)
                self._move(PUSHED, theirs)
                self._load()
                return ""
            if mirror.descends(tip, theirs):
                return ""
            if self._pushed and not mirror.descends(theirs, self._pushed):
                why = (
                    f"the history of {self._branch} in {mirror.remote.redacted_url} was replaced: its commit "
                    f"{theirs[:12]} does not descend from {self._pushed[:12]}; manifests stay as they were "
                    "accepted here; remove the branch there, and it is pushed again"
                )
                self._state = replace(self._state, rewritten=why)
                return why
            rebase = ManifestRebase(mirror, self._writer, self._is_newer)
            self._move(ACCEPTED, rebase.rebased(Tips(self._pushed, tip, theirs)), tip)
            self._move(PUSHED, theirs)
            self._load()
            return ""

    def _load(self, *, is_known: bool = False) -> BranchState:
        tip, self._pushed = self._tip(), self._tip(PUSHED)
        files: Mapping[str, str] = self._state.files
        if tip != self._state.tip:
            tree = tree_at(self._mirror, tip, "") if tip else None
            entries = walk(self._mirror, tree) if tree else []
            files = {each.path.decode("utf-8", "replace"): each.id for each in entries}
        since = (f"^{self._pushed}",) if self._pushed else ()
        times = self._mirror.run("log", "--format=%ct", tip, *since).text.split() if tip else []
        kept = self._state.rewritten if times else ""
        is_known = is_known or bool(tip) or self._state.is_known
        self._state = BranchState(tip, files, len(times), int(times[-1]) if times else 0, kept, is_known)
        return self._state

    def _tip(self, ref: str = ACCEPTED) -> str:
        ran = self._mirror.run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        return ran.text if ran.code == 0 else ""

    def _move(self, ref: str, commit: str, before: str | None = None) -> None:
        expected = () if before is None else (before or "0" * len(commit),)
        ran = self._mirror.run(*DURABLE, "update-ref", ref, commit, *expected)
        if ran.code != 0:
            raise MirrorError(f"{ref} cannot be moved: {ran.errors.strip()}")
