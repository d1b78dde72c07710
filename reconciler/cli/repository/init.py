"""`init` and `schemas`: a new state repository, and the JSON Schemas of its files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from reconciler.cli.errors import CliError
from reconciler.cli.repository.ci_files import (
    FORGES,
    PROGRAM,
    checked_requirement,
    ci_files,
    own_requirement,
)
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
    help="The forge whose CI reviews pull requests; installs workflow, CODEOWNERS and notes.",
)
@click.option("--owner", help="Required reviewer, for CODEOWNERS: @NAME or @ORGANISATION/TEAM.")
@click.option(
    "--requirement",
    help="Address from which CI installs this program, pinned by hash or commit; default: that of this one.",
)
def init(directory: Path, forge: str, owner: str | None, requirement: str | None) -> None:
    """Create a state repository in DIRECTORY from the template; existing files stay.

    Inside a repository it becomes another provider's folder, and the CI's files go to the top.
    """
    template = template_directory()
    sources = sorted(p for p in template.rglob("*") if p.is_file())
    files = {p.relative_to(template).as_posix(): p.read_bytes() for p in sources}
    origin = checked_requirement(requirement) if requirement else own_requirement()
    review, top = dict(ci_files(forge, owner, origin)), _repository_around(directory)
    created = [name for name, content in files.items() if _create(directory / name, content)]
    created += [name for name, text in review.items() if _create((top or directory) / name, text)]
    for name, text in schema_texts().items():
        target = directory / ".schemas" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    start = "git add -A" if top else "git init -b main && git add -A"
    click.echo(f"{len(created)} files created in {directory}; next: cd {directory} && {start} && git commit")
    for name in created:
        if name.endswith("CODEOWNERS") and owner is None:
            click.echo(f"no reviewer is required yet: add one in {name}")
        elif name == PROGRAM:
            click.echo(
                f"CI installs {origin}"
                if origin
                else f"the check fails until {PROGRAM} names the address of this program"
            )
        elif name.endswith("BRANCH-PROTECTION.md"):
            click.echo(f"then protect the branches on the forge: {name}")


def _repository_around(directory: Path) -> Path | None:
    """The repository that contains the folder; None if there is none, or the folder is its top."""
    whole = directory.absolute()
    found = [each for each in (whole, *whole.parents) if (each / ".git").exists()]
    return found[0] if found and found[0] != whole else None


def _create(target: Path, content: bytes) -> bool:
    """Whether the file was written; an existing file or link stays."""
    if target.exists() or target.is_symlink():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return True


@click.command()
@click.option(
    "--write", type=click.Path(path_type=Path, file_okay=False), help="Write the schemas to this directory."
)
@click.option(
    "--check",
    type=click.Path(path_type=Path, file_okay=False),
    help="Compare with the schemas in this directory.",
)
@click.option(
    "--reference", type=click.Path(path_type=Path, file_okay=False), help="Write the reference pages."
)
def schemas(write: Path | None, check: Path | None, reference: Path | None) -> None:
    """Print, write or check the JSON Schemas of all files, or write them as Markdown pages."""
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
    """The number of outdated schemas of a state repository; with `write` they are replaced."""
    stale = {n: text for n, text in schema_texts().items() if not _same(directory / n, text)}
    if not directory.is_dir():
        return 0
    for name, text in stale.items() if write else ():
        (directory / name).write_text(text, encoding="utf-8")
    return len(stale)


def template_directory() -> Path:
    """The template: beside the package in a checkout, inside it when installed."""
    for directory in (HERE.parents[2] / "template", HERE.parents[3] / "state-repo-template"):
        if directory.is_dir():
            return directory
    raise CliError(
        "error: the template of the state repository is missing from this installation; install it again"
    )


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text
