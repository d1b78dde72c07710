"""`migrate`: rewrites files of older forms in place with minimal changes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.cli.repository.init import refresh_schemas
from reconciler.cli.repository.validate import read_tree
from reconciler.documents.adapter_models import AdapterFile
from reconciler.documents.files import parse_file, read_file
from reconciler.documents.host import read_host
from reconciler.documents.kinds import KINDS, FileKind, model_at
from reconciler.documents.migrating import migrated
from reconciler.documents.model import FileModel
from reconciler.documents.schemas import HOST
from reconciler.values.desired import Fault

WOULD_CHANGE = 2
"""The exit code of --check if files would be rewritten."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file: its location, its path within the repository, its bytes and its kind."""

    at: Path
    path: str
    content: bytes
    kind: FileKind

    def faults(self) -> tuple[Fault, ...]:
        """The errors that prevent a rewrite."""
        if self.kind is HOST:
            host = read_host(self.path, self.content)
            return host if isinstance(host, tuple) else ()
        read = read_file(self.path, self.content, self.kind.model, None)
        return read.faults if read.value is None else ()


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True), default=Path())
@click.option("--check", is_flag=True, help="Write nothing; show the changes.")
def migrate(path: Path, check: bool) -> int:
    """Rewrite the files in PATH, or one file (also a host file), from older forms into the newest.

    Comments, order and spaces stay. Exit code 0: done, or nothing to do; 2: --check found files to rewrite;
    1: a file has errors and was not changed.
    """
    found = [*_found(path)]
    bad = [fault for each in found for fault in each.faults()]
    changes = [(each, new) for each in found if not each.faults() and (new := _new(each)) != each.content]
    for each, new in changes:
        if check:
            click.echo(_diff(each, new), nl=False)
        else:
            each.at.write_bytes(new)
            click.echo(f"{each.at}: rewritten")
    schemas = refresh_schemas(path / ".schemas", write=not check) if path.is_dir() else 0
    for fault in bad:
        click.echo(fault.describe(), err=True)
    click.echo(_summary(check, len(changes), schemas))
    if bad:
        return 1
    return WOULD_CHANGE if check and (changes or schemas) else 0


def _summary(check: bool, files: int, schemas: int) -> str:
    if not files and not schemas:
        return "nothing to rewrite"
    many = " and ".join(
        f"{count} {noun}{'' if count == 1 else 's'}"
        for count, noun in ((files, "file"), (schemas, "schema"))
        if count
    )
    return f"{many} would be rewritten" if check else f"{many} rewritten; review with git diff, then commit"


def _found(path: Path) -> Iterator[Found]:
    if path.is_dir():
        for name, content in read_tree(path)[0].items():
            if model := model_at(name):
                yield Found(path / name, name, content, _kind(model, content))
        return
    at = path.absolute()
    ours = [name for name in (f"{at.parent.name}/{at.name}", at.name) if model_at(name)]
    model = model_at(ours[0]) if ours else None
    content = path.read_bytes()
    yield Found(path, [*ours, str(path)][0], content, _kind(model, content) if model else HOST)


def _kind(model: type[FileModel], content: bytes) -> FileKind:
    """The kind of a file; of an adapter file, the one that it states."""
    if model is AdapterFile:
        parsed = parse_file("", content, model).file
        model = model if parsed is None else type(parsed)
    unknown = FileKind("Adapter", "", model)
    return next((kind for kind in KINDS if kind.model is model), unknown)


def _new(found: Found) -> bytes:
    return migrated(found.path, found.content, found.kind)


def _diff(found: Found, new: bytes) -> str:
    before, after = (text.decode().splitlines(keepends=True) for text in (found.content, new))
    shown = difflib.unified_diff(before, after, f"a/{found.path}", f"b/{found.path}")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in shown
    )
