"""A change of the repository told by its commits: out of a clone, on an outlook from wherever."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from reconciler.cli.faults import ToldError
from reconciler.documents.changes import file_changes
from reconciler.documents.desired import Reader
from reconciler.documents.outlook import FILE, OutlookError, read_outlook
from reconciler.planning.planner import NOTHING
from reconciler.planning.preview import Change, preview
from reconciler.repo.clone import Clone, CloneError
from reconciler.repo.mirror import MirrorError
from reconciler.reports.durations import span
from reconciler.values.desired import Revision
from reconciler.values.outlook import Outlook
from reconciler.values.preview import Preview
from reconciler.values.repository import Commit
from reconciler.values.reverts import reverts

BRANCHES = "snapshot/"
FETCH = "git fetch origin '+refs/heads/snapshot/*:refs/remotes/origin/snapshot/*'"
STALE_SECONDS = 2 * 3600
REVERTS_MAX = 5
AHEAD_SECONDS = 300
"""So far two clocks may be apart."""
ASSUMED = "an allowed signer"
"""Whoever merges signs; a pull request's own commit need not be signed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which change: `base` "" stands for the commit that is applied; `snapshot` "" for the only snapshot
    branch there is; `path` is the provider's folder.
    """

    clone: Path
    base: str
    head: str
    path: str = ""
    provider: str = ""
    snapshot: str = ""
    allowed_signers: Path | None = None


def preview_offline(asked: Asked) -> Preview:
    """On the clone alone: needs no key, chain or cluster. ToldError says what is missing."""
    with _clone(asked) as clone:
        outlook, warnings = _shared(clone, asked)
        made = _Comparison(clone, outlook).preview(asked)
        age = span(max(int(time.time()) - outlook.taken_at, 0))
        commit = _snapshot_commit(clone, asked)[1][:12]
        seen = f"The snapshot {commit} was taken {age} ago; what came since is not in it."
        notes = (seen, *made.notes)
        return replace(made, notes=notes, warnings=(*warnings, *made.warnings))


def preview_on(asked: Asked, outlook: Outlook) -> Preview:
    """On an outlook that is at hand."""
    with _clone(asked) as clone:
        return _Comparison(clone, outlook).preview(asked)


def outlook_if_shared(asked: Asked) -> Outlook | None:
    """What the snapshot branch holds; None where there is no clone, no branch, or nothing to be read."""
    try:
        with _clone(asked) as clone:
            return _shared(clone, asked)[0]
    except ToldError:
        return None


@contextmanager
def _clone(asked: Asked) -> Iterator[Clone]:
    with TemporaryDirectory(prefix="provider-daemon-") as home:
        try:
            folder = "/".join(PurePosixPath(asked.path.strip("/")).parts)
            yield Clone(asked.clone, Path(home), folder, asked.allowed_signers)
        except (MirrorError, OutlookError) as error:
            raise ToldError(f"error: {error}") from None
        except ArithmeticError:
            # Numbers in files are bounded by their form, those in a snapshot hardly.
            raise ToldError(
                "error: the snapshot holds numbers that nothing can be reckoned from; "
                "let the daemon publish it again"
            ) from None


def _shared(clone: Clone, asked: Asked) -> tuple[Outlook, tuple[str, ...]]:
    """The outlook on the snapshot branch, and a warning where it is old."""
    name, commit = _snapshot_commit(clone, asked)
    if asked.allowed_signers is not None and clone.signer(commit) is None:
        raise CloneError(
            f"{name} ({commit[:12]}) is not signed by anyone in {asked.allowed_signers}, so it may be forged "
            "and is not used; name the daemon's key there, and in the host file as repository.signing_key"
        )
    outlook = read_outlook(clone.file(commit, FILE))
    return outlook, tuple(_age_warnings(int(time.time()) - outlook.taken_at))


def _age_warnings(age: int) -> Iterator[str]:
    if age < -AHEAD_SECONDS:
        yield (
            f"the snapshot is of a time {span(-age)} ahead: the daemon's clock or this one is wrong, "
            "so how old it is cannot be told"
        )
    if age >= STALE_SECONDS:
        yield (
            f"the snapshot is {span(age)} old: the daemon may be down, what happened since is not told here"
        )


def _snapshot_commit(clone: Clone, asked: Asked) -> tuple[str, str]:
    if asked.snapshot:
        return asked.snapshot, clone.resolve(asked.snapshot)
    found = clone.branches(BRANCHES + asked.provider)
    wanted = BRANCHES + asked.provider
    found = {name: commit for name, commit in found.items() if not asked.provider or name == wanted}
    if len(found) == 1:
        return next(iter(found.items()))
    if found:
        names = ", ".join(sorted(name.removeprefix(BRANCHES) for name in found))
        raise CloneError(f"several providers share this repository ({names}); say which: --provider NAME")
    raise CloneError(
        f"this clone has no branch {wanted}{'' if asked.provider else '<provider>'}; fetch it: {FETCH}; "
        "where the repository has none, no daemon has pushed one yet (repository.snapshot in its host file)"
    )


class _Comparison:
    """Two commits of a clone on one outlook."""

    def __init__(self, clone: Clone, outlook: Outlook) -> None:
        self._clone = clone
        self._outlook = outlook
        self._reader = Reader(outlook.market.wallet.address)

    def preview(self, asked: Asked) -> Preview:
        """The change, its files and how sure it is."""
        clone, head = self._clone, self._clone.resolve(asked.head)
        base, told = self._base(asked.base, head)
        new, merged = self._head(base, head)
        old = clone.commit(base) if base else None
        known = self._applied(base)
        self._check_folder(known or old)
        change = Change(
            self._revision(old) if old else Revision(NOTHING),
            self._revision(replace(new, descends=not known or self._goes_on(base, head, known.id))),
            self._revision(known) if known else None,
        )
        notes = (*told, *merged, *self._doubts(old, head, known), *self._words(base, head))
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
            here = self._clone.place.path or "the top"
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
