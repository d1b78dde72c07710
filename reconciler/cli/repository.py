"""`init`, `validate` and `schemas`: the state repository before any chain or cluster is there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import click

from reconciler.cli.faults import ToldError
from reconciler.cli.options import output_option
from reconciler.documents.desired import validate as faults_of
from reconciler.documents.schemas import schemas as schema_texts
from reconciler.values.desired import Fault

FILE_MAX_BYTES = 8 * 1024 * 1024
HERE = Path(__file__).resolve()


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
def init(directory: Path) -> None:
    """Make a state repository in DIRECTORY from the template; files that are there already stay."""
    template = template_directory()
    made = 0
    for source in sorted(p for p in template.rglob("*") if p.is_file()):
        target = directory / source.relative_to(template)
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        made += 1
    for name, text in schema_texts().items():
        target = directory / ".schemas" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    click.echo(
        f"{made} files made in {directory}; next: cd {directory} && git init && git add -A && git commit"
    )


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path())
@click.option(
    "--provider", help="Our own address; else that of config.yaml, which names of workload files follow from."
)
@output_option
def validate(path: Path, provider: str | None, output: str) -> int:
    """Check the state repository in PATH by the same code as the loop.

    Exit code 0: valid (warnings may be told), 1: errors.
    """
    files, refused = _files(path)
    faults = faults_of(files, provider, refused)
    errors = [f for f in faults if not f.warning]
    if output == "json":
        click.echo(json.dumps([_fields(f) for f in faults], indent=2))
    else:
        for fault in faults:
            click.echo(fault.show())
        warnings = len(faults) - len(errors)
        click.echo(f"{len(files)} files, {len(errors)} errors, {warnings} warnings")
    return 1 if errors else 0


@click.command()
@click.option("--write", type=click.Path(path_type=Path, file_okay=False), help="Write them there.")
@click.option("--check", type=click.Path(path_type=Path, file_okay=False), help="Compare with those there.")
def schemas(write: Path | None, check: Path | None) -> None:
    """The JSON Schemas of the repository's files, generated from the models."""
    texts = schema_texts()
    if check is not None:
        stale = [n for n, text in texts.items() if not _same(check / n, text)]
        if stale:
            raise ToldError(f"error: {', '.join(stale)} in {check} differ from the models; run make schemas")
        return
    if write is None:
        click.echo(texts["all.json"], nl=False)
        return
    write.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (write / name).write_text(text, encoding="utf-8")
    click.echo(f"{len(texts)} schemas written to {write}")


def template_directory() -> Path:
    """The template, beside the package in a checkout, within it when installed."""
    for place in (HERE.parents[1] / "template", HERE.parents[2] / "state-repo-template"):
        if place.is_dir():
            return place
    raise ToldError(
        "error: the template of the state repository is missing from this installation; install it again"
    )


def _files(top: Path) -> tuple[dict[str, bytes], Mapping[str, str]]:
    files: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    for path in sorted(top.rglob("*")):
        name = path.relative_to(top).as_posix()
        if name.startswith((".git/", ".schemas/")) or name == ".git":
            continue
        if path.is_symlink():
            refused[name] = "it is a symbolic link"
        elif path.is_file() and path.stat().st_size > FILE_MAX_BYTES:
            refused[name] = f"it has {path.stat().st_size} bytes"
        elif path.is_file():
            files[name] = path.read_bytes()
    return files, refused


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _fields(fault: Fault) -> dict[str, object]:
    return {
        "path": fault.path,
        "line": fault.line,
        "column": fault.column,
        "severity": "warning" if fault.warning else "error",
        "message": fault.message,
        "advice": fault.advice,
    }
