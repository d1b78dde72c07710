"""`provider-daemon restore`: puts back what a backup holds, once it is proven to be one and confirmed."""

from __future__ import annotations

import hmac
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.chain.keyring import KeyLockedError, KeyMissingError, file_of, unseal_key
from reconciler.cli.errors import CliError
from reconciler.cli.host.archive import (
    HOST,
    JOURNAL,
    KEPT_STATE,
    KEYRING,
    ArchiveError,
    CheckedArchive,
    check_archive,
    extract,
    make_private,
    newer,
)
from reconciler.cli.host.backup import (
    PURPOSE,
    REPLACED,
    RESTORING,
    given_passphrase,
    keyring_of,
    outside,
    passphrase_option,
)
from reconciler.cli.options import host_option
from reconciler.journal.database import Database
from reconciler.journal.lock import DaemonLock
from reconciler.journal.schema import VERSION
from reconciler.settings import HOST_VARIABLE, Flags, Settings, host_file, load_settings, settings_from
from reconciler.values.text import one_line

SHOWN = 3
"""Things in the way that are named in an error."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Where the members go: `host_file` is None where one is there, which stays."""

    settings: Settings
    host_file: Path | None
    state: Path
    ring: Path

    def path_of(self, name: str) -> Path | None:
        """Where a member goes; None: nowhere, it stays in the backup."""
        folder, _, rest = name.partition("/")
        if name == HOST:
            return self.host_file
        return (self.ring if folder == KEYRING else self.state) / (rest or name)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@host_option
@passphrase_option
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), help="Put every path below this one.")
@click.option("--trust", metavar="SHA256", help="Take the file with this digest, which backup has printed.")
@click.option("--force", is_flag=True, help="Also over a state that is there; it is put aside, not deleted.")
@click.option("--yes", "confirmed", is_flag=True, help="Do not ask before anything is written.")
def restore(
    file: Path,
    host: Path | None,
    passphrase_file: Path | None,
    to: Path | None,
    trust: str | None,
    force: bool,
    confirmed: bool,
) -> None:
    """Put back what backup FILE holds, where it was; a host file that is there stays and says where."""
    if host is not None and to is not None:
        raise click.UsageError("--host says where the host file goes, --to where everything goes; give one")
    with file.open("rb") as opened:
        try:
            checked = check_archive(opened)
            if checked.manifest.journal > VERSION:
                raise newer(checked.manifest.program)
            _authenticate(checked, trust, lambda: given_passphrase(passphrase_file, _settings_here(host)))
            targets = _targets(checked, host, to)
            _refuse_others(targets, force=force)
            _confirm(checked, targets, confirmed=confirmed)
            make_private(targets.state)
            with DaemonLock(targets.state):
                _put_back(checked, targets, lambda staged: extract(opened, checked, staged))
        except ArchiveError as error:
            raise CliError(f"error: {file} is no backup that can be restored: {error}") from None
    _report(checked, targets)


def _settings_here(host: Path | None) -> Settings | None:
    """Of the host file on this machine, never of the backup's, which could name any passphrase file."""
    there = host_file(Flags(host), os.environ).exists()
    return load_settings(Flags(host), os.environ) if there else None


def _authenticate(checked: CheckedArchive, trust: str | None, passphrase: Callable[[], str | None]) -> None:
    """ArchiveError unless the digest is the trusted one, or a key that the passphrase opens made the HMAC."""
    manifest = checked.manifest
    if trust is not None:
        if not hmac.compare_digest(trust.strip().lower().encode("utf-8", "replace"), checked.digest.encode()):
            raise ArchiveError(f"its sha256 is {checked.digest}, not the one given with --trust")
        return
    instead = "or name the sha256 that `backup` printed with --trust"
    if manifest.backend == "test":
        raise ArchiveError(
            f"its keyring is not sealed, so that no passphrase proves who wrote it; name the sha256 that "
            f"`backup` printed with --trust; this file's is {checked.digest}"
        )
    sealed = checked.small.get(f"{KEYRING}/{file_of(manifest.key)}")
    if checked.seal is None or sealed is None:
        raise ArchiveError(
            f"it was written without its key at hand, so that nothing proves who wrote it; name the sha256 "
            f"that `backup` printed with --trust; this file's is {checked.digest}"
        )
    if (given := passphrase()) is None:
        raise ArchiveError(
            "nothing at hand proves who wrote it; give the keyring's passphrase with --passphrase-file, "
            f"{instead}"
        )
    name = one_line(manifest.key, 80)
    try:
        key = unseal_key(sealed, given, name, f"the key {name} in the backup")
    except (KeyLockedError, KeyMissingError) as error:
        raise ArchiveError(
            f"{error}; give the passphrase of the time when it was made, {instead}; without either, it may "
            "be somebody else's"
        ) from None
    if not hmac.compare_digest(key.authenticate(PURPOSE, checked.manifest_bytes).encode(), checked.seal):
        raise ArchiveError("it was changed after it was written: its HMAC is not the key's")


def _targets(checked: CheckedArchive, host: Path | None, to: Path | None) -> Targets:
    """Back to where all was; --host or the environment may name another place for the host file."""
    if to is not None and to.is_dir() and any(to.iterdir()):
        raise CliError(f"error: {to} is not empty; name a new directory with --to")
    was = Path(os.path.normpath(checked.manifest.host_file))
    if not was.is_absolute():
        raise ArchiveError("its host file had no absolute path")
    is_named = to is None and (host is not None or bool(os.environ.get(HOST_VARIABLE)))
    path = host_file(Flags(host), os.environ) if is_named else was
    is_there = to is None and path.exists()
    if not is_there and HOST not in checked.small:
        raise ArchiveError(f"it holds no host file; write {path} first")
    content = path.read_bytes() if is_there else checked.small[HOST]
    settings = settings_from(path, content, Flags(host), os.environ)

    def place(path: Path) -> Path:
        normal = os.path.normpath(path)
        return to.absolute() / normal.lstrip("/") if to is not None else Path(normal)

    return Targets(
        settings, None if is_there else place(path), place(settings.state), place(keyring_of(settings))
    )


def _refuse_others(targets: Targets, *, force: bool) -> None:
    """CliError where something is in the way and may not be put aside."""
    if (there := _in_the_way(targets)) and not force:
        shown = ", ".join(str(path) for path in there[:SHOWN])
        raise CliError(
            f"error: {targets.state} is not empty ({shown}); restore into an empty one, or put what is there "
            "aside with --force"
        )


def _in_the_way(targets: Targets) -> list[Path]:
    """What a restore would write over, or would leave beside what it writes."""
    journal = [path for path in targets.state.glob(f"{JOURNAL}*") if path.is_file()]
    keys = [targets.ring] if targets.ring.is_dir() and any(targets.ring.iterdir()) else []
    others = [targets.state / kept for kept in KEPT_STATE]
    return [*journal, *keys, *(path for path in others if path.exists())]


def _confirm(checked: CheckedArchive, targets: Targets, *, confirmed: bool) -> None:
    """List what would be written and ask; CliError where nobody can answer, Abort after a no."""
    manifest = checked.manifest
    click.echo(
        f"backup of provider {one_line(manifest.provider, 80)}, made {one_line(manifest.made_at, 40)} by "
        f"provider-daemon {one_line(manifest.program, 40)}"
    )
    for there in _in_the_way(targets):
        click.echo(f"  put aside {there}")
    for name in sorted(manifest.files):
        if (path := targets.path_of(name)) is not None:
            click.echo(f"  write     {path}")
    if targets.host_file is None:
        click.echo(f"  keep      {targets.settings.host_file}")
    if confirmed:
        return
    if not sys.stdin.isatty():
        raise CliError("error: nothing was written; without a terminal to confirm on, repeat it with --yes")
    click.confirm("Write these files?", abort=True)


def _put_back(checked: CheckedArchive, targets: Targets, unpack: Callable[[Path], None]) -> None:
    """Unpack beside the state and move into place, the host file last; what stood there is put aside."""
    staged = targets.state / RESTORING
    shutil.rmtree(staged, ignore_errors=True)
    try:
        unpack(staged)
        if (staged / JOURNAL).exists():
            journal = Database(staged / JOURNAL)
            try:
                journal.check()
            finally:
                journal.close()
        _put_aside(targets)
        written = list(_move(checked, targets, staged))
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    _give_to_owner(targets.state, written)


def _put_aside(targets: Targets) -> None:
    if not (there := _in_the_way(targets)):
        return
    aside = targets.state / time.strftime(f"{REPLACED}%Y%m%dT%H%M%SZ", time.gmtime())
    aside.mkdir(mode=0o700)
    for path in there:
        shutil.move(path, aside / path.name)


def _move(checked: CheckedArchive, targets: Targets, staged: Path) -> Iterator[Path]:
    for name in sorted(checked.manifest.files, key=lambda name: name == HOST):
        if (path := targets.path_of(name)) is None:
            continue
        make_private(path.parent)
        shutil.move(staged / name, path)
        if name != HOST:
            yield path


def _give_to_owner(state: Path, written: list[Path]) -> None:
    """What root restores belongs to the owner of the state directory, as do the folders that hold it."""
    if os.geteuid() != 0:
        return
    owner = state.stat()
    folders = {folder for path in written for folder in path.parents if folder.is_relative_to(state)}
    folders |= {path.parent for path in written} | set(state.glob(f"{REPLACED}*"))
    for path in [*written, *sorted(folders - {state})]:
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _report(checked: CheckedArchive, targets: Targets) -> None:
    count = sum(targets.path_of(name) is not None for name in checked.manifest.files)
    made_at = one_line(checked.manifest.made_at, 40)
    host = targets.host_file or targets.settings.host_file
    click.echo(f"restored {count} files of {made_at} into {targets.state}, host file {host}")
    for line in outside(targets.settings):
        path = Path(line.rpartition(", ")[2])
        if not path.exists():
            click.echo(f"still missing: {line}")
    click.echo(
        "let no other daemon run with this key; where the account has moved on since, this one waits 20 "
        "blocks before it spends"
    )
