"""Reads the desired and the status branch, in a clone or on the daemon's host."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.cli.errors import CliError
from reconciler.git.clone import Clone, CloneError
from reconciler.git.commit_log import COMMITS_MAX, commits
from reconciler.git.mirror import MirrorError
from reconciler.reports.history import HistoryEntry, join_histories
from reconciler.values.history import DesiredRevision, StatusRevision, status_revision

STATUS = "status/"
FETCH = "git fetch origin '+refs/heads/status/*:refs/remotes/origin/status/*'"
MIRRORED, PUBLISHED = "refs/reconciler/desired", "refs/reconciler/published"
USUAL = ("main", "master")

_ADDRESS = re.compile(r"^address: ([a-z0-9]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class HistoryLocation:
    """A repository on this machine, the provider's folder in it, and revisions that name the tips of both
    histories; "" are found among its branches.
    """

    directory: Path
    folder: str = ""
    desired: str = ""
    status: str = ""
    provider: str = ""


@dataclass(frozen=True, slots=True)
class HistorySource:
    """Both histories joined; `address` is the provider's ("": not published yet), `missing` is what the clone
    lacks.
    """

    entries: tuple[HistoryEntry, ...]
    status_commits: tuple[StatusRevision, ...]
    address: str = ""
    missing: str = ""


def read(place: HistoryLocation) -> HistorySource:
    """Both histories; CliError if something must be fetched."""
    with _opened(place) as clone:
        desired = clone.resolve(place.desired) if place.desired else _usual(clone)
        status = _status(clone, place)
        published = tuple(map(status_revision, commits(clone, [status]))) if status else ()
        applied = dict.fromkeys(each.revision for each in published if each.revision)
        wanted = commits(clone, [desired, *_present(clone, [*applied])])
        entries = join_histories([_paths_below(each, place.folder) for each in wanted], published)
        shown = tuple(each for each in entries if each.desired.files or each.is_revision or not place.folder)
        missing = _cut(clone, max(len(wanted), len(published))) if status else _missing(place)
        return HistorySource(shown, published, _address(clone, status), missing)


@contextmanager
def _opened(place: HistoryLocation) -> Iterator[Clone]:
    with TemporaryDirectory(prefix="provider-daemon-") as home:
        try:
            with closing(Clone(place.directory, Path(home), place.folder)) as clone:
                yield clone
        except MirrorError as error:
            raise CliError(f"error: {error}") from None


def _usual(clone: Clone) -> str:
    """The origin's default branch, or one of the usual names."""
    try:
        return clone.resolve("refs/remotes/origin/HEAD")
    except CloneError:
        there = clone.branches("")
        return next((there[name] for name in USUAL if name in there), "") or clone.resolve("HEAD")


def _status(clone: Clone, place: HistoryLocation) -> str:
    if place.status:
        return clone.resolve(place.status) if clone.run("cat-file", "-e", place.status).code == 0 else ""
    found = clone.branches(STATUS)
    if place.provider:
        return found.get(STATUS + place.provider, "")
    if len(found) > 1:
        names = ", ".join(name.removeprefix(STATUS) for name in sorted(found))
        raise CloneError(f"several providers share this repository; name one with --provider: {names}")
    return next(iter(found.values()), "")


def _missing(place: HistoryLocation) -> str:
    branch = STATUS + (place.provider or "<provider>")
    return (
        f"there is no branch {branch} here, so the outcomes of these commits are not known; fetch it: {FETCH}"
    )


def _cut(clone: Clone, longest: int) -> str:
    """History is truncated; the oldest entry may include earlier commits."""
    if clone.run("rev-parse", "--is-shallow-repository").text == "true":
        return "this clone is shallow: older entries are wrong; run: git fetch --unshallow origin"
    if longest >= COMMITS_MAX:
        return f"only the newest {COMMITS_MAX} commits of a branch are read: older entries are wrong"
    return ""


def _present(clone: Clone, wanted: Sequence[str]) -> list[str]:
    """Those in the clone: after a rewrite, applied commits may be gone."""
    return [each.id for each in clone.reader.info(wanted).values() if each.kind == "commit"]


def _address(clone: Clone, status: str) -> str:
    try:
        summary = clone.file(status, "summary.yaml").decode("utf-8", "replace") if status else ""
    except CloneError:
        return ""
    found = _ADDRESS.search(summary)
    return found[1] if found else ""


def _paths_below(commit: DesiredRevision, folder: str) -> DesiredRevision:
    if not folder:
        return commit
    files = (name.removeprefix(f"{folder}/") for name in commit.files if name.startswith(f"{folder}/"))
    return replace(commit, files=tuple(files))
