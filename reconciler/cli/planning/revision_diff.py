"""Two commits of a clone, planned on one outlook: what differs, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler.documents.changes import file_changes
from reconciler.documents.desired import DesiredReader
from reconciler.git.clone import Clone, CloneError
from reconciler.planning.planner import EMPTY_DESIRED
from reconciler.planning.preview import RevisionChange, preview
from reconciler.values.desired import Revision
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.preview import Preview
from reconciler.values.repository import Commit
from reconciler.values.reverts import reverts

REVERTS_MAX = 5
ASSUMED = "an allowed signer"
"""Whoever merges signs; a pull request's own commit need not be signed."""


class Comparison:
    """Two commits of a clone on one outlook."""

    def __init__(self, clone: Clone, outlook: PlanningSnapshot) -> None:
        self._clone = clone
        self._outlook = outlook
        self._reader = DesiredReader(outlook.market.wallet.address)

    def preview(self, asked: str, wanted: str) -> Preview:
        """The change from one revision ("": what is applied) to another, its files and how sure it is."""
        clone, head = self._clone, self._clone.resolve(wanted)
        base, told = self._base(asked, head)
        new, merged = self._head(base, head)
        old = clone.commit(base) if base else None
        known = self._applied(base)
        self._check_folder(known or old)
        change = RevisionChange(
            self._revision(old) if old else Revision(EMPTY_DESIRED),
            self._revision(replace(new, descends=not known or self._goes_on(base, head, known.id))),
            self._revision(known) if known else None,
        )
        doubts = (*self._doubts(old, head, known), *self._unseen(change))
        notes = (*told, *merged, *doubts, *self._words(base, head))
        files = file_changes(_entries(old) if old else {}, _entries(new), self._contents(old, new))
        return replace(preview(self._outlook, change), files=files, notes=notes)

    def _base(self, asked: str, head: str) -> tuple[str, tuple[str, ...]]:
        """Where the change starts: not behind what is applied, as the branch it is merged into is not."""
        clone, applied = self._clone, self._outlook.memory.applied
        if not (asked or applied):
            return "", ()
        base = clone.resolve(asked or applied)
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
        """CloneError where the daemon has applied other files than those of the folder that was named."""
        good = self._outlook.memory.good
        if commit is None or commit.id != self._outlook.memory.applied or not good:
            return
        if not good.keys() & commit.files.keys():
            here = self._clone.remote.path or "the top"
            raise CloneError(
                f"{self._outlook.provider} has applied no file of {here} of this repository in commit "
                f"{commit.id[:12]}; name its folder and no other provider: --path FOLDER --provider NAME"
            )

    def _goes_on(self, base: str, head: str, applied: str) -> bool:
        """Whether the merge goes on from what is applied, as far as this clone's history reaches."""
        clone = self._clone
        return clone.descends(base, applied) or clone.descends(applied, head) or clone.is_shallow

    def _head(self, base: str, head: str) -> tuple[Commit, tuple[str, ...]]:
        """The commit as it would be once merged: on top of the base it is as it stands."""
        if not base or self._clone.descends(head, base):
            return self._clone.commit(head), ()
        note = "The base has moved on since the branch left it; planned as the merge of both."
        return self._clone.commit(head, self._clone.merged(base, head)), (note,)

    def _applied(self, base: str) -> Commit | None:
        """The commit that the daemon applied, where it is another than the base and this clone has it."""
        applied = self._outlook.memory.applied
        if not applied or applied == base or not self._clone.has(applied):
            return None
        return self._clone.commit(applied)

    def _doubts(self, old: Commit | None, head: str, known: Commit | None) -> Iterator[str]:
        applied, base = self._outlook.memory.applied, old.id if old else ""
        if applied and applied != base:
            if known is None:
                yield (
                    f"Commit {applied[:12]}, which the daemon has applied, is not in this clone: bounds on "
                    "how far prices may move at once could not be checked (git fetch --unshallow origin)."
                )
            elif self._clone.descends(base, applied):
                yield (
                    f"The base {base[:12]} is newer than what was applied then: what comes of the base "
                    f"itself is not listed here, and what is there or held is reckoned from {applied[:12]}."
                )
            elif self._clone.is_shallow and not self._clone.descends(applied, head):
                yield (
                    f"Whether the base goes on from {applied[:12]}, which the daemon has applied, cannot "
                    "be told in a shallow clone (git fetch --unshallow origin)."
                )
        at, good = known or old, self._outlook.memory.good
        if at and at.id == applied and good and not good.items() & at.files.items():
            yield "No file here is as the daemon has applied it: are --path and --provider right?"
        if self._outlook.limits.require_signature:
            yield "The host file lists allowed signers: the merged commit must be signed by one of them."

    def _unseen(self, change: RevisionChange) -> Iterator[str]:
        """Files for leases that may be newer than what was seen."""
        market, old = self._outlook.market, change.base.desired.workloads
        for subject, workload in sorted(change.head.desired.workloads.items()):
            if subject not in old and workload.lease not in market.leases:
                yield (
                    f"The lease of {subject} was not there at height {market.height}: if it was made since, "
                    "its file is right, and what is said of it here is not."
                )

    def _words(self, base: str, head: str) -> Iterator[str]:
        found = (reverts(message) for message in self._clone.messages(base, head))
        for taken_back in list(dict.fromkeys(commit for commit in found if commit))[:REVERTS_MAX]:
            yield f"It takes back commit {taken_back[:12]}: a revert is applied as any other commit."
        if edited := self._clone.uncommitted():
            yield f"Edits that are not committed count for nothing: {', '.join(edited[:5])}."

    def _revision(self, commit: Commit) -> Revision:
        good = self._outlook.memory.good
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
    """Path -> what stands there: a blob, or why it is none."""
    return {**commit.files, **commit.refused}
