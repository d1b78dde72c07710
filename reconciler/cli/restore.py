"""`provider-daemon restore`: what a backup holds, put where the host file says."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from reconciler.cli.archive import Manifest, extract, make_private, read_manifest, read_member, refuse_newer
from reconciler.cli.backup import HOST, KEYRING, REPLACED, RESTORING, STATE, is_state, keyring_of, outside
from reconciler.cli.faults import ToldError
from reconciler.cli.options import host_option, settings_of
from reconciler.journal.database import NAME, Database
from reconciler.journal.lock import DaemonLock
from reconciler.journal.migrations import MIGRATIONS
from reconciler.settings import Flags, Settings, host_file

SHOWN = 3
"""Things in the way that are named."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@host_option
@click.option("--force", is_flag=True, help="Also over a state that is there; it is put aside, not deleted.")
def restore(file: Path, host: Path | None, force: bool) -> None:
    """Put back what backup FILE holds; a host file that is there stays and says where."""
    manifest = read_manifest(file)
    refuse_newer(file, manifest, len(MIGRATIONS))
    with _host_file(file, manifest, host_file(Flags(host), os.environ)) as settings:
        settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        with DaemonLock(settings.state):
            if (there := _in_the_way(settings)) and not force:
                shown = ", ".join(str(path) for path in there[:SHOWN])
                raise ToldError(
                    f"error: {settings.state} is not empty ({shown}); restore into an empty one, or put what "
                    "is there aside with --force"
                )
            _restore(file, manifest, settings, there)
    _tell(file, manifest, settings)


@contextmanager
def _host_file(file: Path, manifest: Manifest, path: Path) -> Iterator[Settings]:
    """The settings of the host file that is there, else of the backup's, which goes again where all fails."""
    made = not path.exists()
    if made:
        if HOST not in manifest.files:
            raise ToldError(f"error: {file} holds no host file; write {path} first")
        content = read_member(file, manifest, HOST)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content)
    try:
        yield settings_of(path)
    except BaseException:
        if made:
            path.unlink(missing_ok=True)
        raise


def _in_the_way(settings: Settings) -> list[Path]:
    """What a restore would write over: the journal's files, keys, and what else is kept in the state."""
    state, ring = settings.state, keyring_of(settings)
    journal = [path for path in state.glob(f"{NAME}*") if path.is_file()]
    keys = [ring] if ring.is_dir() and any(ring.iterdir()) else []
    others = [path for path in sorted(state.iterdir()) if is_state(path.name) and not _holds(path, ring)]
    return [*journal, *keys, *others]


def _holds(path: Path, ring: Path) -> bool:
    return path == ring or path in ring.parents


def _restore(file: Path, manifest: Manifest, settings: Settings, there: list[Path]) -> None:
    """Unpack and check beside the state, then move into place; what stood there is put aside."""
    state, staged = settings.state, settings.state / RESTORING
    shutil.rmtree(staged, ignore_errors=True)
    try:
        extract(file, manifest, staged)
        if (staged / NAME).exists():
            journal = Database(staged / NAME)
            try:
                journal.check()
            finally:
                journal.close()
        _put_aside(state, there)
        _move(staged / KEYRING, keyring_of(settings))
        _move(staged / STATE, state)
        if (staged / NAME).exists():
            (staged / NAME).replace(state / NAME)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    _give_to_owner(settings)


def _put_aside(state: Path, there: list[Path]) -> None:
    if not there:
        return
    aside = state / time.strftime(f"{REPLACED}%Y%m%dT%H%M%SZ", time.gmtime())
    aside.mkdir(mode=0o700)
    for path in there:
        shutil.move(path, aside / path.name)


def _move(source: Path, to: Path) -> None:
    if not source.is_dir():
        return
    make_private(to)
    for each in sorted(source.rglob("*")):
        if each.is_file():
            target = to / each.relative_to(source)
            make_private(target.parent)
            shutil.move(each, target)


def _give_to_owner(settings: Settings) -> None:
    """What root restores belongs to whom the state directory belongs."""
    if os.geteuid() != 0:
        return
    owner = settings.state.stat()
    ring = keyring_of(settings)
    for path in [*settings.state.rglob("*"), ring, *(ring.rglob("*") if ring.is_dir() else ())]:
        if path.exists() and not path.is_symlink():
            os.chown(path, owner.st_uid, owner.st_gid)


def _tell(file: Path, manifest: Manifest, settings: Settings) -> None:
    click.echo(
        f"restored {len(manifest.files)} files of {manifest.made_at} into {settings.state}, "
        f"host file {settings.host_file}"
    )
    for line in outside(settings):
        path = Path(line.rpartition(", ")[2])
        if not path.exists():
            click.echo(f"still missing: {line}")
    click.echo(
        "let no other daemon run with this key; where the account has moved on since, this one waits 20 "
        "blocks before it spends"
    )
