"""Previews of a change in a clone, on the snapshot branch or on what this host sees."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.cli.clones import open_clone
from reconciler.cli.errors import CliError
from reconciler.cli.planning.revision_diff import Comparison
from reconciler.documents.planning_snapshot import FILE, read_planning_snapshot
from reconciler.git.clone import Clone, CloneError
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.preview import Preview
from reconciler.values.times import format_duration

BRANCHES = "snapshot/"
FETCH = "git fetch origin '+refs/heads/snapshot/*:refs/remotes/origin/snapshot/*'"
STALE_SECONDS = 2 * 3600
AHEAD_SECONDS = 300
"""Tolerated difference of two clocks."""


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """The change; `base` "" is the applied commit, `snapshot` "" the only snapshot branch, `path` the
    provider's folder.
    """

    clone: Path
    base: str
    head: str
    path: str = ""
    provider: str = ""
    snapshot: str = ""
    allowed_signers: Path | None = None


def preview_offline(request: PreviewRequest) -> Preview:
    """From the clone only: needs no key, chain or cluster; CliError if something is missing."""
    with open_clone(request.clone, request.path, request.allowed_signers) as clone:
        planning_snapshot, commit, warnings = _published(clone, request)
        made = Comparison(clone, planning_snapshot).preview(request.base, request.head)
        age = format_duration(max(int(time.time()) - planning_snapshot.taken_at, 0))
        seen = f"The snapshot {commit[:12]} was taken {age} ago; later changes are not in it."
        notes = (seen, *made.notes)
        return replace(made, notes=notes, warnings=(*warnings, *made.warnings))


def preview_on(request: PreviewRequest, planning_snapshot: PlanningSnapshot) -> Preview:
    """On a given planning snapshot."""
    with open_clone(request.clone, request.path, request.allowed_signers) as clone:
        return Comparison(clone, planning_snapshot).preview(request.base, request.head)


def planning_snapshot_if_published(request: PreviewRequest) -> PlanningSnapshot | None:
    """The snapshot branch's content; None without a clone, a branch, or readable content."""
    try:
        with open_clone(request.clone, request.path, request.allowed_signers) as clone:
            return _published(clone, request)[0]
    except CliError:
        return None


def _published(clone: Clone, request: PreviewRequest) -> tuple[PlanningSnapshot, str, tuple[str, ...]]:
    """The planning snapshot on its branch, its commit, and warnings about its age."""
    snapshots = _snapshots(clone, request)
    found = [(each, _verified(clone, request, *each)) for each in snapshots.items()]
    if len(found) > 1:
        found = [
            (each, planning_snapshot)
            for each, planning_snapshot in found
            if planning_snapshot.folder == clone.remote.path
        ]
    if len(found) != 1:
        names = ", ".join(sorted(name.removeprefix(BRANCHES) for name in snapshots))
        raise CloneError(
            f"several providers share this repository ({names}); use --provider NAME or --path FOLDER"
        )
    ((_, commit), planning_snapshot) = found[0]
    return planning_snapshot, commit, tuple(_age_warnings(int(time.time()) - planning_snapshot.taken_at))


def _verified(clone: Clone, request: PreviewRequest, name: str, commit: str) -> PlanningSnapshot:
    if request.allowed_signers is not None and clone.signer(commit) is None:
        raise CloneError(
            f"{name} ({commit[:12]}) is not signed by anyone in {request.allowed_signers}, may be forged and "
            "is not used; add the daemon's key there, and set repository.signing_key in the host file"
        )
    return read_planning_snapshot(clone.file(commit, FILE))


def _age_warnings(age: int) -> Iterator[str]:
    if age < -AHEAD_SECONDS:
        yield (
            f"the snapshot is {format_duration(-age)} in the future: the daemon's clock or this one is "
            "wrong, so its age is unknown"
        )
    if age >= STALE_SECONDS:
        yield (
            f"the snapshot is {format_duration(age)} old: the daemon may be down; later changes are missing"
        )


def _snapshots(clone: Clone, request: PreviewRequest) -> Mapping[str, str]:
    """Name -> commit of the matching snapshots: one, or those of several providers."""
    if request.snapshot:
        return {request.snapshot: clone.resolve(request.snapshot)}
    wanted = BRANCHES + request.provider
    found = clone.branches(wanted)
    found = {name: commit for name, commit in found.items() if not request.provider or name == wanted}
    if found:
        return found
    raise CloneError(
        f"this clone has no branch {wanted}{'' if request.provider else '<provider>'}; fetch it: {FETCH}; "
        "if the repository has none, no daemon has pushed one yet (repository.snapshot in its host file)"
    )
