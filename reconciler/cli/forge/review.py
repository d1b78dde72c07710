"""`provider-daemon review`: validates a change and plans its merge; for CI."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from reconciler.cli.clones import open_clone, plain_folder
from reconciler.cli.errors import CliError
from reconciler.cli.planning.preview import BRANCHES, PreviewRequest, preview_offline
from reconciler.cli.repository.validate import committed
from reconciler.documents.desired import validate
from reconciler.forge.escaping import neutralize
from reconciler.git.clone import Clone, ConflictError
from reconciler.reports.faults import github_of, gitlab_of
from reconciler.reports.review import CHECKING, Review, review_markdown, verdict
from reconciler.values.commit_status import StatusState
from reconciler.values.desired import Fault
from reconciler.values.text import one_line

NO_BASE = "there is no branch to merge into"
NO_SNAPSHOT = "the repository has no snapshot branch yet; a running daemon pushes one"
NEW_PROVIDER = "the provider is new: the branch to merge into lacks its folder"
GITLAB_REPORT = "gl-code-quality-report.json"


@dataclass(frozen=True, slots=True)
class _Change:
    """The change under review; `folder` and `provider` are "" if the repository has one provider."""

    clone: Path
    base: str
    head: str
    folder: str
    provider: str


@click.command()
@click.option("--base", default="", help="The commit to merge into; without it HEAD is checked as it is.")
@click.option("--head", default="HEAD", show_default=True, help="The commit to review.")
@click.option("--path", default="", help="The provider's folder in the repository.")
@click.option("--provider", default="", help="The provider, if several share the repository.")
@click.option(
    "--clone",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    help="The clone of the state repository; default: the current folder.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("review"),
    show_default=True,
    help="The folder for review.md, state and description.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "github", "gitlab"]),
    default="text",
    show_default=True,
    help="Also print GitHub's and Gitea's annotations, or write GitLab's code quality report.",
)
def review(out: Path, form: str, clone: Path, **options: str) -> int:
    """Check the merge of HEAD into BASE and plan it on the snapshot branch.

    Reads only git's objects: nothing is checked out, run or fetched. Exit code 0: valid (there may be
    warnings), 1: errors, a conflict, or a plan that failed.
    """
    change = _Change(
        clone, options["base"], options["head"], plain_folder(options["path"]), options["provider"]
    )
    made = _review(change)
    faults = _from_the_top(made.faults, change.folder)
    text = neutralize(review_markdown(made))
    out.mkdir(parents=True, exist_ok=True)
    _write(out / "review.md", text)
    _write(out / "state", (StatusState.SUCCESS if made.passed else StatusState.FAILURE).value)
    _write(out / "description", one_line(verdict(made), 140))
    if form == "gitlab":
        _write(out / GITLAB_REPORT, gitlab_of(faults))
    click.echo(_log(text, faults, made) if form == "github" else text, nl=False)
    return 0 if made.passed else 1


def _review(change: _Change) -> Review:
    with open_clone(change.clone, change.folder) as clone:
        head = clone.resolve(change.head)
        base = clone.resolve(change.base) if change.base else ""
        try:
            tree = "" if not base or clone.descends(head, base) else clone.merged(base, head)
        except ConflictError as conflict:
            return Review(head, base, conflicts=conflict.files)
        if change.folder and not clone.has_folder(tree or head):
            raise click.UsageError(f"commit {head[:12]} has no folder {one_line(change.folder, 200)}")
        checking = clone.changed(base, tree or head, CHECKING) if base else ()
        made = Review(head, base, checking=checking, unplanned=_unplannable_reason(clone, change, base))
        if not made.unplanned:
            made = _add_preview(made, change)
        if made.preview is not None:
            return made
        return replace(made, faults=validate(*_files(clone, head, tree)))


def _files(clone: Clone, head: str, tree: str) -> tuple[Mapping[str, bytes], None, Mapping[str, str]]:
    files, refused = committed(clone, clone.commit(head, tree))
    return files, None, refused


def _unplannable_reason(clone: Clone, change: _Change, base: str) -> str:
    """Why the change cannot be planned; "" if it can."""
    if not base:
        return NO_BASE
    name = BRANCHES + change.provider
    if not any(not change.provider or found == name for found in clone.branches(name)):
        return NO_SNAPSHOT
    if change.folder and not clone.has_folder(base):
        return NEW_PROVIDER
    return ""


def _add_preview(made: Review, change: _Change) -> Review:
    request = PreviewRequest(change.clone, made.base, made.head, change.folder, change.provider)
    try:
        preview = preview_offline(request)
    except CliError as error:
        return replace(made, failed=str(error).removeprefix("error: "))
    return replace(made, preview=preview, faults=preview.faults)


def _from_the_top(faults: Sequence[Fault], folder: str) -> tuple[Fault, ...]:
    """The faults with paths relative to the repository's top, as forges show them."""
    return tuple(replace(fault, path=f"{folder}/{fault.path}".lstrip("/")) for fault in faults)


def _log(text: str, faults: Sequence[Fault], made: Review) -> str:
    """Annotations, then the review, whose lines the log does not interpret as commands."""
    word = secrets.token_hex(16)
    held = made.preview.ceilings if made.preview else ()
    warning = "::warning::the host file's limits hold this change; see the plan\n"
    return f"{github_of(faults)}{warning if held else ''}::stop-commands::{word}\n{text}\n::{word}::\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
