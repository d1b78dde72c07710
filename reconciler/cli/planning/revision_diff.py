"""Previews the change from one commit of a clone to another, planned on one planning snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler.documents.changes import file_changes
from reconciler.documents.desired import DesiredReader
from reconciler.git.clone import Clone, CloneError
from reconciler.planning.planner import EMPTY_DESIRED
from reconciler.planning.revisions.preview import RevisionChange, preview
from reconciler.values.desired import Revision
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.preview import Preview
from reconciler.values.repository import Commit, reverted_commit

REVERTS_MAX = 5
ASSUMED = "an allowed signer"
"""The signer of the head: the merge commit gets signed, a pull request's own commit need not be."""


class Comparison:
    """Compares commits of a clone on one planning snapshot."""

    def __init__(self, clone: Clone, snapshot: PlanningSnapshot) -> None:
        self._clone = clone
        self._snapshot = snapshot
        self._reader = DesiredReader(snapshot.market.wallet.address)

    def preview(self, base_revision: str, head_revision: str) -> Preview:
        """The change from a revision ("": the applied commit) to another, its files and notes."""
        clone, head = self._clone, self._clone.resolve(head_revision)
        base, base_notes = self._base(base_revision, head)
        new, merge_notes = self._head(base, head)
        old = clone.commit(base) if base else None
        applied = self._applied(base)
        self._check_folder(applied or old)
        change = RevisionChange(
            self._revision(old) if old else Revision(EMPTY_DESIRED),
            self._revision(replace(new, descends=not applied or self._continues(base, head, applied.id))),
            self._revision(applied) if applied else None,
        )
        doubts = (*self._doubts(old, head, applied), *self._newer_leases(change))
        notes = (*base_notes, *merge_notes, *doubts, *self._commit_notes(base, head))
        files = file_changes(_entries(old) if old else {}, _entries(new), self._contents(old, new))
        made = preview(self._snapshot, change)
        return replace(made, files=files, notes=(*made.notes, *notes))

    def _base(self, revision: str, head: str) -> tuple[str, tuple[str, ...]]:
        """Where the change starts: the base, or the applied commit if the base is behind it."""
        clone, applied = self._clone, self._snapshot.memory.applied
        if not (revision or applied):
            return "", ()
        base = clone.resolve(revision or applied)
        if not applied or base == applied or not clone.descends(applied, base):
            return base, ()
        if clone.descends(applied, head):
            return base, ("The daemon has applied this change already.",)
        note = (
            f"The base {base[:12]} is behind {applied[:12]}, which the daemon has applied; "
            "planned on top of that (git fetch origin)."
        )
        return applied, (note,)

    def _check_folder(self, commit: Commit | None) -> None:
        """CloneError if the daemon has applied other files than those of the selected folder."""
        good = self._snapshot.memory.valid_blobs
        if commit is None or commit.id != self._snapshot.memory.applied or not good:
            return
        if not good.keys() & commit.files.keys():
            folder = self._clone.remote.path or "the top folder"
            raise CloneError(
                f"{self._snapshot.provider} has applied no file of {folder} of this repository in commit "
                f"{commit.id[:12]}; select the provider and its folder: --path FOLDER --provider NAME"
            )

    def _continues(self, base: str, head: str, applied: str) -> bool:
        """Whether the merge descends from the applied commit, as far as this clone's history reaches."""
        clone = self._clone
        return clone.descends(base, applied) or clone.descends(applied, head) or clone.is_shallow

    def _head(self, base: str, head: str) -> tuple[Commit, tuple[str, ...]]:
        """The commit as it will be once merged: unchanged if it is on top of the base."""
        if not base or self._clone.descends(head, base):
            return self._clone.commit(head), ()
        note = "The base has commits that the branch lacks; planned as the merge of both."
        return self._clone.commit(head, self._clone.merged(base, head)), (note,)

    def _applied(self, base: str) -> Commit | None:
        """The applied commit, if it is not the base and this clone has it."""
        applied = self._snapshot.memory.applied
        if not applied or applied == base or not self._clone.has(applied):
            return None
        return self._clone.commit(applied)

    def _doubts(self, old: Commit | None, head: str, current: Commit | None) -> Iterator[str]:
        applied, base = self._snapshot.memory.applied, old.id if old else ""
        if applied and applied != base:
            if current is None:
                yield (
                    f"Commit {applied[:12]}, which the daemon has applied, is not in this clone: limits on "
                    "price changes could not be checked (git fetch --unshallow origin)."
                )
            elif self._clone.descends(base, applied):
                yield (
                    f"The base {base[:12]} is newer than {applied[:12]}, which the daemon has applied: "
                    f"effects of the base are not listed, and limits are checked against {applied[:12]}."
                )
            elif self._clone.is_shallow and not self._clone.descends(applied, head):
                yield (
                    f"Whether the base descends from {applied[:12]}, which the daemon has applied, is "
                    "unknown in a shallow clone (git fetch --unshallow origin)."
                )
        at, good = current or old, self._snapshot.memory.valid_blobs
        if at and at.id == applied and good and not good.items() & at.files.items():
            yield "Every file differs from the applied one: check --path and --provider."
        if self._snapshot.limits.require_signature:
            yield "The host file lists allowed signers: the merged commit must be signed by one of them."

    def _newer_leases(self, change: RevisionChange) -> Iterator[str]:
        """Files of leases that may be newer than the snapshot."""
        market, old = self._snapshot.market, change.base.desired.workloads
        for subject, workload in sorted(change.head.desired.workloads.items()):
            if subject not in old and workload.lease not in market.leases:
                yield (
                    f"The lease of {subject} did not exist at height {market.height}: if it is newer, ignore "
                    "the findings about its file."
                )

    def _commit_notes(self, base: str, head: str) -> Iterator[str]:
        found = (reverted_commit(message) for message in self._clone.messages(base, head))
        for reverted in list(dict.fromkeys(commit for commit in found if commit))[:REVERTS_MAX]:
            yield f"Reverts commit {reverted[:12]}: a revert is applied like any other commit."
        if edited := self._clone.uncommitted():
            yield f"Uncommitted edits are ignored: {', '.join(edited[:5])}."

    def _revision(self, commit: Commit) -> Revision:
        good = self._snapshot.memory.valid_blobs
        contents = self._clone.read(self._reader.unread(commit, good))
        return Revision(
            self._reader.desired(commit, good, contents),
            commit.author,
            commit.subject,
            commit.committed_at,
            commit.descends,
            ASSUMED,
        )

    def _contents(self, old: Commit | None, new: Commit) -> Mapping[str, bytes]:
        """The bytes of files that differ, by blob."""
        before, after = set(old.files.items() if old else ()), set(new.files.items())
        return self._clone.read(sorted({blob for _, blob in before ^ after}))


def _entries(commit: Commit) -> Mapping[str, str]:
    """Path -> blob, or the reason why the file is refused."""
    return {**commit.files, **commit.unread_entries}
