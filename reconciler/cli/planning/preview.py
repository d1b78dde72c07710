"""A change of the repository told by its commits: out of a clone, on an outlook from wherever."""

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
from reconciler.values.durations import span
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.preview import Preview

BRANCHES = "snapshot/"
FETCH = "git fetch origin '+refs/heads/snapshot/*:refs/remotes/origin/snapshot/*'"
STALE_SECONDS = 2 * 3600
AHEAD_SECONDS = 300
"""So far two clocks may be apart."""


@dataclass(frozen=True, slots=True)
class PreviewRequest:
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


def preview_offline(asked: PreviewRequest) -> Preview:
    """On the clone alone: needs no key, chain or cluster. ToldError says what is missing."""
    with open_clone(asked.clone, asked.path, asked.allowed_signers) as clone:
        outlook, commit, warnings = _shared(clone, asked)
        made = Comparison(clone, outlook).preview(asked.base, asked.head)
        age = span(max(int(time.time()) - outlook.taken_at, 0))
        seen = f"The snapshot {commit[:12]} was taken {age} ago; what came since is not in it."
        notes = (seen, *made.notes)
        return replace(made, notes=notes, warnings=(*warnings, *made.warnings))


def preview_on(asked: PreviewRequest, outlook: PlanningSnapshot) -> Preview:
    """On an outlook that is at hand."""
    with open_clone(asked.clone, asked.path, asked.allowed_signers) as clone:
        return Comparison(clone, outlook).preview(asked.base, asked.head)


def outlook_if_shared(asked: PreviewRequest) -> PlanningSnapshot | None:
    """What the snapshot branch holds; None where there is no clone, no branch, or nothing to be read."""
    try:
        with open_clone(asked.clone, asked.path, asked.allowed_signers) as clone:
            return _shared(clone, asked)[0]
    except CliError:
        return None


def _shared(clone: Clone, asked: PreviewRequest) -> tuple[PlanningSnapshot, str, tuple[str, ...]]:
    """The outlook on the snapshot branch, its commit, and warnings where it is old."""
    snapshots = _snapshots(clone, asked)
    found = [(each, _outlook(clone, asked, *each)) for each in snapshots.items()]
    if len(found) > 1:
        found = [(each, outlook) for each, outlook in found if outlook.folder == clone.remote.path]
    if len(found) != 1:
        names = ", ".join(sorted(name.removeprefix(BRANCHES) for name in snapshots))
        raise CloneError(
            f"several providers share this repository ({names}); say which: --provider NAME, or --path FOLDER"
        )
    ((_, commit), outlook) = found[0]
    return outlook, commit, tuple(_age_warnings(int(time.time()) - outlook.taken_at))


def _outlook(clone: Clone, asked: PreviewRequest, name: str, commit: str) -> PlanningSnapshot:
    if asked.allowed_signers is not None and clone.signer(commit) is None:
        raise CloneError(
            f"{name} ({commit[:12]}) is not signed by anyone in {asked.allowed_signers}, so it may be forged "
            "and is not used; name the daemon's key there, and in the host file as repository.signing_key"
        )
    return read_planning_snapshot(clone.file(commit, FILE))


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


def _snapshots(clone: Clone, asked: PreviewRequest) -> Mapping[str, str]:
    """Name -> commit of the snapshots that may be meant: one, or those of several providers."""
    if asked.snapshot:
        return {asked.snapshot: clone.resolve(asked.snapshot)}
    wanted = BRANCHES + asked.provider
    found = clone.branches(wanted)
    found = {name: commit for name, commit in found.items() if not asked.provider or name == wanted}
    if found:
        return found
    raise CloneError(
        f"this clone has no branch {wanted}{'' if asked.provider else '<provider>'}; fetch it: {FETCH}; "
        "where the repository has none, no daemon has pushed one yet (repository.snapshot in its host file)"
    )
