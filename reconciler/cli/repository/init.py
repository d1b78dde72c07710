"""`init` and `schemas`: the state repository before any chain or cluster is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from reconciler.cli.errors import CliError
from reconciler.cli.origin import checked_requirement, own_requirement
from reconciler.cli.repository.ci_files import FORGES, PROGRAM, ci_files
from reconciler.documents.reference import reference as reference_pages
from reconciler.documents.schemas import schemas as schema_texts

HERE = Path(__file__).resolve()


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--ci",
    "forge",
    type=click.Choice([*FORGES]),
    default="none",
    show_default=True,
    help="Whose CI reviews pull requests: its workflow, CODEOWNERS and notes are installed.",
)
@click.option("--owner", help="Who must approve changes, for CODEOWNERS: @NAME or @ORGANISATION/TEAM.")
@click.option(
    "--requirement",
    help="Where CI installs this program from, pinned by hash or commit; else where this one came from.",
)
def init(directory: Path, forge: str, owner: str | None, requirement: str | None) -> None:
    """Make a state repository in DIRECTORY from the template; files that are there already stay.

    Inside a repository it becomes one more provider's folder, and the CI's files go to the top.
    """
    template = template_directory()
    sources = sorted(p for p in template.rglob("*") if p.is_file())
    files = {p.relative_to(template).as_posix(): p.read_bytes() for p in sources}
    origin = checked_requirement(requirement) if requirement else own_requirement()
    review, top = dict(ci_files(forge, owner, origin)), _repository_around(directory)
    made = [name for name, content in files.items() if _made(directory / name, content)]
    made += [name for name, text in review.items() if _made((top or directory) / name, text)]
    for name, text in schema_texts().items():
        target = directory / ".schemas" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    start = "git add -A" if top else "git init -b main && git add -A"
    click.echo(f"{len(made)} files made in {directory}; next: cd {directory} && {start} && git commit")
    for name in made:
        if name.endswith("CODEOWNERS") and owner is None:
            click.echo(f"nobody must approve changes yet: name somebody in {name}")
        elif name == PROGRAM:
            click.echo(
                f"CI installs {origin}"
                if origin
                else f"the check fails until {PROGRAM} says where CI installs this program from"
            )
        elif name.endswith("BRANCH-PROTECTION.md"):
            click.echo(f"then protect the branches on the forge: {name}")


def _repository_around(directory: Path) -> Path | None:
    """The repository that the folder lies in; None where it is none's, or its top itself."""
    whole = directory.absolute()
    places = [place for place in (whole, *whole.parents) if (place / ".git").exists()]
    return places[0] if places and places[0] != whole else None


def _made(target: Path, content: bytes) -> bool:
    """Whether the file was written; one that is there stays, and a link is one."""
    if target.exists() or target.is_symlink():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return True


@click.command()
@click.option("--write", type=click.Path(path_type=Path, file_okay=False), help="Write them there.")
@click.option("--check", type=click.Path(path_type=Path, file_okay=False), help="Compare with those there.")
@click.option(
    "--reference", type=click.Path(path_type=Path, file_okay=False), help="Write every file and key there."
)
def schemas(write: Path | None, check: Path | None, reference: Path | None) -> None:
    """The JSON Schemas of all files, generated from the models, and what they say as Markdown."""
    texts = schema_texts()
    if reference is not None:
        pages = reference_pages()
        _write(reference, pages)
        click.echo(f"{len(pages)} pages written to {reference}")
        return
    if check is not None:
        stale = [n for n, text in texts.items() if not _same(check / n, text)]
        if stale:
            raise CliError(f"error: {', '.join(stale)} in {check} differ from the models; run make schemas")
        return
    if write is None:
        click.echo(texts["all.json"], nl=False)
        return
    _write(write, texts)
    click.echo(f"{len(texts)} schemas written to {write}")


def _write(directory: Path, texts: Mapping[str, str]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")


def refresh_schemas(directory: Path, *, write: bool) -> int:
    """How many schemas of a state repository are of another version; with `write` they are replaced."""
    stale = {n: text for n, text in schema_texts().items() if not _same(directory / n, text)}
    if not directory.is_dir():
        return 0
    for name, text in stale.items() if write else ():
        (directory / name).write_text(text, encoding="utf-8")
    return len(stale)


def template_directory() -> Path:
    """The template, beside the package in a checkout, within it when installed."""
    for place in (HERE.parents[2] / "template", HERE.parents[3] / "state-repo-template"):
        if place.is_dir():
            return place
    raise CliError(
        "error: the template of the state repository is missing from this installation; install it again"
    )


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text
