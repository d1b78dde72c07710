"""The state repository for the cycle: commits, blobs, and the branches that we write."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.git.backoff import Backoff
from reconciler.git.branch_writer import BranchWriter
from reconciler.git.commits import commit_heading, superseded
from reconciler.git.mirror import DamagedMirrorError, Mirror, MirrorError
from reconciler.git.read import blobs, list_tree
from reconciler.git.remote import BadRemoteError, Remote
from reconciler.git.signatures import signer
from reconciler.git.working_tree import uncommitted_paths
from reconciler.values.outcomes import Failed, Outcome
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.repository import LAST_EVENT_TRAILER, BranchCommit, Commit, CommitHeader

DESIRED = "refs/reconciler/desired"
"""The newest fetched commit of the desired branch."""

APPLIED = "refs/reconciler/applied"
"""The commit last known to be in force, for a journal that was lost."""

COMMITS_KEPT = 4
"""Cached commits."""

SIGNER_SECONDS = 60
"""Time after which a signature is verified again, as its key may have expired."""


class GitRepository:
    """The port `Repo` over native git on a private mirror. Thread-safe: of its calls, one runs at a time.

    Raises BadRemoteError if the remote's names are invalid, OSError if the state directory cannot be used.
    """

    def __init__(self, remote: Remote, state: Path, backoff: Backoff | None = None) -> None:
        self._remote = remote
        self._mirror = Mirror(remote, state, backoff)
        self._writer = BranchWriter(self._mirror)
        self._lock = threading.Lock()
        self._commits: dict[str, Commit] = {}
        self._applied: str | None = None
        self._superseded: tuple[tuple[str, str], tuple[CommitHeader, ...]] | None = None
        self._signed: tuple[tuple[str, int, int], str | None] | None = None

    def fetch(self, applied: str) -> Reading[tuple[Commit, ...]]:
        """Fetch if the branch moved; the newest commit, then the applied one.

        Unseen if the repository is empty, missing or unreachable; `last_fetched` still reads the mirror.
        """
        try:
            with self._lock, self._mirror.locked():
                try:
                    return Seen(self._commits_of(self._newest(), applied))
                except DamagedMirrorError:
                    if not self._mirror.is_damaged():
                        raise
                    self._mirror.recreate()
                    return Seen(self._commits_of(self._newest(), applied))
        except MirrorError as error:
            return Unseen(str(error))

    def last_fetched(self, applied: str) -> Reading[tuple[Commit, ...]]:
        """The same from the mirror as last fetched, for use while the repository is unreachable."""
        try:
            with self._lock, self._mirror.locked():
                newest = self._mirror.tip(DESIRED)
                if newest is None:
                    return Unseen(self._unread_message())
                return Seen(self._commits_of(newest, applied))
        except MirrorError as error:
            return Unseen(str(error))

    def read(self, wanted: Sequence[str]) -> Mapping[str, bytes]:
        """The blobs' bytes; unknown and unreadable ones are missing."""
        if not wanted:
            return {}
        try:
            with self._lock, self._mirror.locked():
                return blobs(self._mirror, wanted)
        except MirrorError:
            return {}

    def published_mark(self, branch: str) -> Reading[str]:
        """The trailer of the branch's last commit that marks the last published event."""
        try:
            with self._lock, self._mirror.locked():
                return Seen(self._writer.last_trailer(branch, LAST_EVENT_TRAILER))
        except (MirrorError, BadRemoteError) as error:
            return Unseen(str(error))

    def publish(self, commit: BranchCommit) -> Outcome:
        """Make a branch hold exactly these files; idempotent, also after a kill at any point."""
        if commit.branch == self._remote.branch:
            return Failed("PublishFailed", f"{commit.branch} is the desired branch; it is never overwritten")
        try:
            with self._lock, self._mirror.locked():
                return (self._writer.replace if commit.replaces else self._writer.write)(commit)
        except MirrorError as error:
            return Failed("PublishFailed", str(error))

    def close(self) -> None:
        """Kill the git command that another thread waits for; all later calls fail."""
        self._mirror.close()

    def check_push(self, branch: str) -> Outcome:
        """Whether the repository accepts a push to this branch; call it after `fetch`. Nothing is pushed."""
        try:
            with self._lock, self._mirror.locked():
                newest = self._mirror.tip(DESIRED)
                if newest is None:
                    return Failed("PublishFailed", self._unread_message())
                return self._writer.check_push(branch, newest)
        except MirrorError as error:
            return Failed("PublishFailed", str(error))

    def uncommitted(self) -> tuple[str, ...]:
        """Paths with uncommitted changes in a local repository's working tree, which are ignored."""
        if not self._remote.is_local or not Path(self._remote.url, ".git").exists():
            return ()
        tree = Path(self._remote.url)
        return uncommitted_paths(self._mirror, tree, tree / ".git", "--", self._remote.path or ".")

    def _unread_message(self) -> str:
        return f"{self._remote.redacted_url} was never read on this machine"

    def _newest(self) -> str:
        ref = f"refs/heads/{self._remote.branch}"
        tip = self._mirror.remote_tips(ref).get(ref)
        if tip is None:
            raise MirrorError(self._missing_branch_message())
        if self._mirror.tip(DESIRED) == tip:
            return tip
        self._mirror.fetch(ref, DESIRED)
        newest = self._mirror.tip(DESIRED)
        if newest is None:
            raise MirrorError(f"branch {self._remote.branch} of {self._remote.redacted_url} names no commit")
        return newest

    def _missing_branch_message(self) -> str:
        there = [
            ref.removeprefix("refs/heads/")
            for ref in self._mirror.remote_tips()
            if ref.startswith("refs/heads/")
        ]
        if not there:
            return f"{self._remote.redacted_url} is empty; push the branch {self._remote.branch} to it"
        shown = ", ".join(sorted(there)[:5])
        return (
            f"{self._remote.redacted_url} has no branch {self._remote.branch}, but {shown}; "
            "push it, or change repository.branch in the host file"
        )

    def _commits_of(self, newest: str, applied: str) -> tuple[Commit, ...]:
        applied = self._record_applied(applied)
        first = replace(self._commit(newest), signer=self._signer(newest))
        if not applied or applied == newest:
            return (replace(first, descends=True),)
        if not self._mirror.has_commit(applied):
            return (replace(first, descends=False),)
        between = self._superseded_commits(applied, newest)
        first = replace(first, descends=between is not None, superseded=between or ())
        try:
            return (first, self._commit(applied))
        except MirrorError:
            return (first,)

    def _superseded_commits(self, applied: str, newest: str) -> tuple[CommitHeader, ...] | None:
        """The commits that the newest supersedes, None unless it descends from the applied one; cached, as
        every cycle reads a held revision.
        """
        key = (applied, newest)
        if self._superseded is None or self._superseded[0] != key:
            if not self._mirror.descends(newest, applied):
                return None
            self._superseded = key, superseded(self._mirror, applied, newest)
        return self._superseded[1]

    def _record_applied(self, applied: str) -> str:
        """The commit in force, also recorded in the mirror; from the mirror if the journal has none."""
        if self._applied is None:
            self._applied = self._mirror.tip(APPLIED) or ""
        if applied and applied != self._applied and self._mirror.has_commit(applied):
            self._mirror.set_tip(APPLIED, applied)
            self._applied = applied
        return applied or self._applied

    def _commit(self, commit: str) -> Commit:
        if commit not in self._commits:
            head = commit_heading(self._mirror, commit)
            files = list_tree(self._mirror, commit, self._remote.path)
            made = Commit(
                id=commit,
                author=head.author,
                subject=head.subject,
                committed_at=head.committed_at,
                files=files.files,
                sizes=files.sizes,
                unread_entries=files.unread_entries,
                reverts=head.reverts,
            )
            self._commits = {commit: made, **dict(list(self._commits.items())[: COMMITS_KEPT - 1])}
        return self._commits[commit]

    def _signer(self, commit: str) -> str | None:
        """The signer of the newest commit by a key that is valid now; verified every minute."""
        key = (commit, self._signers_changed_at(), int(time.time()) // SIGNER_SECONDS)
        if self._signed is None or self._signed[0] != key:
            self._signed = key, signer(self._mirror, commit)
        return self._signed[1]

    def _signers_changed_at(self) -> int:
        try:
            return self._remote.allowed_signers.stat().st_mtime_ns if self._remote.allowed_signers else 0
        except OSError:
            return -1
