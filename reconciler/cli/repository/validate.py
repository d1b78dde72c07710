"""`validate`: the errors and warnings of a state repository."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.errors import CliError
from reconciler.documents.desired import desired_of, provider_in_config
from reconciler.documents.desired import validate as faults_of
from reconciler.documents.fixing import fixed_files
from reconciler.documents.kinds import WORKLOADS, model_at
from reconciler.planning.revisions.adapter_grants import denials
from reconciler.reports.faults import github_of, gitlab_of, json_of, sarif_of, text_of
from reconciler.values.adapters import adapter_path
from reconciler.values.desired import Desired, Fault
from reconciler.values.limits import Limits
from reconciler.values.repository import Commit
from reconciler.values.text import printable, visible

if TYPE_CHECKING:
    from reconciler.git.clone import Clone

FILE_MAX_BYTES = 8 * 1024 * 1024
FOLDERS = ("adapters", "workloads")
"""Folders that are read besides the files at the top."""

FORMATS: Mapping[str, Callable[[Sequence[Fault]], str]] = {
    "json": json_of,
    "github": github_of,
    "sarif": sarif_of,
    "gitlab": gitlab_of,
}
TEXT = "text"
NAMES_UNCHECKED = """\
Of the names of workload files only the numbers were checked, as the provider's address is not known: name it
as provider in config.yaml, or by --provider."""
COUNTED = (TEXT, "github")
"""Formats for people, which end with a count."""


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True), default=Path())
@click.option(
    "--provider",
    help="The provider's address, for names of workload files; default: config.yaml's.",
)
@click.option("--commit", help="Check this commit's files, read from git's objects; nothing is checked out.")
@click.option("--path", "folder", default="", help="With --commit: the provider's folder in the repository.")
@click.option(
    "--host", type=click.Path(path_type=Path), help="A host file, whose limits and grants are checked."
)
@click.option("--fix", is_flag=True, help="Correct the mistakes that have one right answer.")
@click.option("--diff", is_flag=True, help="With --fix: show the corrections and write nothing.")
@click.option(
    "-o",
    "--output",
    "--format",
    "form",
    type=click.Choice([TEXT, *FORMATS]),
    default=TEXT,
    show_default=True,
    help="For a person, a program, GitHub's and Gitea's annotations, code scanning, GitLab's code quality.",
)
def validate(path: Path, host: Path | None, form: str, fix: bool, diff: bool, **options: str | None) -> int:
    """Check the state repository in PATH with the code of the loop.

    If PATH is a file, only its errors are printed. With --commit, PATH is a clone whose working tree is
    ignored. Exit code 0: valid (there may be warnings), 1: errors.
    """
    provider, commit, folder = options["provider"], options["commit"], options["folder"] or ""
    if (diff and not fix) or (fix and (commit or not path.is_dir())):
        raise click.UsageError("--fix corrects the files of a folder; --diff is for --fix")
    only = None
    if commit:
        files, refused = read_commit(path, commit, folder)
        below = "" if form == "json" else _prefix_of(Path(folder.strip("/")))
    elif folder:
        raise click.UsageError("--path is for --commit; name the folder itself")
    else:
        top, only = _repository_of(path)
        files, refused = read_tree(top)
        below = "" if form == "json" else _prefix_of(top)
        if fix:
            files = _fixed(top, files, provider, diff)
    limits = _limits_of(host) if host else None
    every = [*faults_of(files, provider, refused, limits)]
    if limits:
        every += _denied(desired_of(files, provider, refused), limits)
    found = [f for f in every if only in (None, f.path)]
    faults = [replace(f, path=below + f.path) for f in found]
    if form == TEXT:
        click.echo(text_of(faults, {below + name: content for name, content in files.items()}), nl=False)
    else:
        click.echo(FORMATS[form](faults), nl=False)
    errors = sum(not fault.warning for fault in faults)
    if form in COUNTED:
        click.echo(f"{1 if only else len(files)} files, {errors} errors, {len(faults) - errors} warnings")
    if form == TEXT and any(name.startswith(WORKLOADS) for name in files) and not _provider(files, provider):
        click.echo(NAMES_UNCHECKED, err=True)
    return 1 if errors else 0


def _provider(files: Mapping[str, bytes], option: str | None) -> str | None:
    return option or provider_in_config(files)


def _fixed(top: Path, files: Mapping[str, bytes], provider: str | None, diff: bool) -> dict[str, bytes]:
    """The corrected files, written unless only the difference is shown."""
    found = dict(fixed_files(files, provider))
    for name in sorted({*files, *found}, key=lambda name: (name not in found, name)):  # removed last
        old, new = files.get(name), found.get(name)
        if old == new:
            continue
        if diff:
            click.echo(_difference(name, old, new), nl=False)
        elif new is None:
            (top / name).unlink()
        else:
            (top / name).write_bytes(new)
            click.echo(f"fixed {name}", err=True)
    return dict(files) if diff else found


def _difference(name: str, old: bytes | None, new: bytes | None) -> str:
    before, after = ((each or b"").decode(errors="replace").splitlines(keepends=True) for each in (old, new))
    names = ("/dev/null" if old is None else f"a/{name}", "/dev/null" if new is None else f"b/{name}")
    return visible("".join(difflib.unified_diff(before, after, *names)))


def _repository_of(path: Path) -> tuple[Path, str | None]:
    """The repository, and the file if PATH names one."""
    if path.is_dir():
        return path, None
    at = path.absolute()
    for top in (at.parent, at.parent.parent):
        name = at.relative_to(top).as_posix()
        if model_at(name) and (top / name).exists():
            return top, name
    raise CliError(
        f"error: {path} is not a file of a state repository; name the folder of config.yaml "
        "(a host file is checked by --host FILE and by doctor)"
    )


def _denied(desired: Desired, limits: Limits) -> Iterator[Fault]:
    """Adapter files that the host file denies."""
    for name, why in denials(desired, limits.grants).items():
        yield Fault(adapter_path(name), 0, 0, why, rule="grants")


def _limits_of(host: Path) -> Limits:
    from reconciler.cli.options import settings_of  # a quarter of a second, only with --host

    return settings_of(host).limits


def _prefix_of(path: Path) -> str:
    """The path from the current folder to the repository, so that editors can open the files."""
    if path.is_absolute():
        here = Path.cwd()
        path = path.relative_to(here) if path.is_relative_to(here) else Path()
    way = path.as_posix()
    return "" if way == "." else f"{way}/"


def read_tree(top: Path) -> tuple[dict[str, bytes], Mapping[str, str]]:
    """The bytes of every relevant file by path, and the reasons for those that are not read."""
    files: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    for name, entry in sorted(_entries(top, "")):
        if entry.is_symlink():
            refused[name] = "it is a symbolic link, which is not followed; put a plain file there"
        elif not entry.is_file(follow_symlinks=False):
            refused[name] = "it is not a plain file"
        elif (size := entry.stat().st_size) > FILE_MAX_BYTES:
            refused[name] = f"it has {size} bytes"
        else:
            try:
                files[name] = Path(entry.path).read_bytes()
            except OSError as error:
                refused[name] = f"it cannot be read: {error.strerror}"
    return files, refused


def read_commit(clone: Path, commit: str, folder: str) -> tuple[dict[str, bytes], Mapping[str, str]]:
    """The same for a commit, from the clone's objects, without attributes, filters and hooks."""
    from reconciler.cli.clones import open_clone  # imports git, only with --commit

    with open_clone(clone, folder) as opened:
        return committed(opened, opened.commit(opened.resolve(commit)))


def committed(clone: Clone, commit: Commit) -> tuple[dict[str, bytes], Mapping[str, str]]:
    """The bytes of every relevant file of a commit, and the reasons for those that are not read."""
    wanted = {path: blob for path, blob in commit.files.items() if _is_relevant(path)}
    contents = clone.read(sorted(set(wanted.values())))
    return {path: contents[blob] for path, blob in wanted.items() if blob in contents}, commit.unread_entries


def _is_relevant(path: str) -> bool:
    top, _, rest = path.partition("/")
    return not rest or top in FOLDERS


def _entries(folder: Path, way: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    with os.scandir(folder) as found:
        for entry in found:
            name = way + printable(os.fsencode(entry.name).decode(errors="replace"))
            if not entry.is_dir(follow_symlinks=False):
                yield name, entry
            elif way or entry.name in FOLDERS:
                yield from _entries(Path(entry.path), f"{name}/")
