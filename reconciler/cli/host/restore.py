"""`provider-daemon restore`: restores a backup after its authentication and a confirmation."""

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
    KEYRING,
    ArchiveError,
    CheckedArchive,
    check_archive,
    extract,
    kept_files,
    make_private,
    newer,
)
from reconciler.cli.host.backup import (
    PURPOSE,
    REPLACED,
    RESTORING,
    keyring_of,
    outside,
    passphrase_option,
    resolve_passphrase,
)
from reconciler.cli.options import host_option
from reconciler.journal.database import Database
from reconciler.journal.lock import DaemonLock
from reconciler.journal.schema import VERSION
from reconciler.settings import HOST_VARIABLE, Flags, Settings, host_file, load_settings, settings_from
from reconciler.values.text import one_line

SHOWN = 3
"""Existing files that an error names."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Where the members go; `host_file` is None if one exists, which stays."""

    settings: Settings
    host_file: Path | None
    state: Path
    ring: Path

    def path_of(self, name: str) -> Path | None:
        """The path of a member; None: it is not restored."""
        folder, _, rest = name.partition("/")
        if name == HOST:
            return self.host_file
        return (self.ring if folder == KEYRING else self.state) / (rest or name)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@host_option
@passphrase_option
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), help="Restore below this directory.")
@click.option("--trust", metavar="SHA256", help="Accept the file with this digest, as printed by backup.")
@click.option("--force", is_flag=True, help="Replace an existing state; it is moved away, not deleted.")
@click.option("--yes", "confirmed", is_flag=True, help="Write without confirmation.")
def restore(
    file: Path,
    host: Path | None,
    passphrase_file: Path | None,
    to: Path | None,
    trust: str | None,
    force: bool,
    confirmed: bool,
) -> None:
    """Restore backup FILE to its original paths; an existing host file stays and decides the paths."""
    if host is not None and to is not None:
        raise click.UsageError("--host is the path of the host file, --to of everything; give one of them")
    with file.open("rb") as opened:
        try:
            checked = check_archive(opened)
            if checked.manifest.journal > VERSION:
                raise newer(checked.manifest.program)
            _authenticate(checked, trust, lambda: resolve_passphrase(passphrase_file, _settings_here(host)))
            targets = _targets(checked, host, to)
            _check_empty(targets, force=force)
            _confirm(checked, targets, confirmed=confirmed)
            make_private(targets.state)
            with DaemonLock(targets.state):
                _install(checked, targets, lambda staged: extract(opened, checked, staged))
        except ArchiveError as error:
            raise CliError(f"error: {file} cannot be restored: {error}") from None
    _report(checked, targets)


def _settings_here(host: Path | None) -> Settings | None:
    """Settings of the host file on this machine, not of the backup's, which could name any file."""
    there = host_file(Flags(host), os.environ).exists()
    return load_settings(Flags(host), os.environ) if there else None


def _authenticate(checked: CheckedArchive, trust: str | None, passphrase: Callable[[], str | None]) -> None:
    """ArchiveError unless the digest is trusted, or the HMAC is by a key that the passphrase decrypts."""
    manifest = checked.manifest
    if trust is not None:
        if not hmac.compare_digest(trust.strip().lower().encode("utf-8", "replace"), checked.digest.encode()):
            raise ArchiveError(f"its sha256 is {checked.digest}, not the one given with --trust")
        return
    instead = "or give the sha256 that `backup` printed with --trust"
    if manifest.backend == "test":
        raise ArchiveError(
            f"its keyring is not encrypted, so no passphrase proves its origin; give the sha256 that "
            f"`backup` printed with --trust; this file's is {checked.digest}"
        )
    sealed = checked.small.get(f"{KEYRING}/{file_of(manifest.key)}")
    if checked.seal is None or sealed is None:
        raise ArchiveError(
            f"it was written without a key, so nothing proves its origin; give the sha256 that `backup` "
            f"printed with --trust; this file's is {checked.digest}"
        )
    if (given := passphrase()) is None:
        raise ArchiveError(
            f"its origin is not proven; give the keyring's passphrase with --passphrase-file, {instead}"
        )
    name = one_line(manifest.key, 80)
    try:
        key = unseal_key(sealed, given, name, f"the key {name} in the backup")
    except (KeyLockedError, KeyMissingError) as error:
        raise ArchiveError(
            f"{error}; give the passphrase that was valid when it was made, {instead}; without either, it "
            "may be forged"
        ) from None
    if not hmac.compare_digest(key.authenticate(PURPOSE, checked.manifest_bytes).encode(), checked.seal):
        raise ArchiveError("it was changed after it was written: its HMAC does not match")


def _targets(checked: CheckedArchive, host: Path | None, to: Path | None) -> Targets:
    """The original paths; --host or the environment may name another path for the host file."""
    if to is not None and to.is_dir() and any(to.iterdir()):
        raise CliError(f"error: {to} is not empty; name a new directory with --to")
    was = Path(os.path.normpath(checked.manifest.host_file))
    if not was.is_absolute():
        raise ArchiveError("its host file had no absolute path")
    is_named = to is None and (host is not None or bool(os.environ.get(HOST_VARIABLE)))
    path = host_file(Flags(host), os.environ) if is_named else was
    is_there = to is None and path.exists()
    if not is_there and HOST not in checked.small:
        raise ArchiveError(f"it contains no host file; write {path} first")
    content = path.read_bytes() if is_there else checked.small[HOST]
    settings = settings_from(path, content, Flags(host), os.environ)

    def target(path: Path) -> Path:
        normal = os.path.normpath(path)
        return to.absolute() / normal.lstrip("/") if to is not None else Path(normal)

    return Targets(
        settings, None if is_there else target(path), target(settings.state), target(keyring_of(settings))
    )


def _check_empty(targets: Targets, *, force: bool) -> None:
    """CliError if files exist that may not be moved away."""
    if (there := _existing(targets)) and not force:
        shown = ", ".join(str(path) for path in there[:SHOWN])
        raise CliError(
            f"error: {targets.state} is not empty ({shown}); restore into an empty directory, or move its "
            "files away with --force"
        )


def _existing(targets: Targets) -> list[Path]:
    """Files that a restore replaces."""
    journal = [path for path in targets.state.glob(f"{JOURNAL}*") if path.is_file()]
    keys = [targets.ring] if targets.ring.is_dir() and any(targets.ring.iterdir()) else []
    return [*journal, *keys, *kept_files(targets.state)]


def _confirm(checked: CheckedArchive, targets: Targets, *, confirmed: bool) -> None:
    """List the changes and ask for confirmation; CliError without a terminal, Abort on no."""
    manifest = checked.manifest
    click.echo(
        f"backup of provider {one_line(manifest.provider, 80)}, made {one_line(manifest.made_at, 40)} by "
        f"provider-daemon {one_line(manifest.program, 40)}"
    )
    for there in _existing(targets):
        click.echo(f"  move away {there}")
    for name in sorted(manifest.files):
        if (path := targets.path_of(name)) is not None:
            click.echo(f"  write     {path}")
    if targets.host_file is None:
        click.echo(f"  keep      {targets.settings.host_file}")
    if confirmed:
        return
    if not sys.stdin.isatty():
        raise CliError("error: nothing was written; without a terminal, confirm with --yes")
    click.confirm("Write these files?", abort=True)


def _install(checked: CheckedArchive, targets: Targets, unpack: Callable[[Path], None]) -> None:
    """Unpack beside the state, move existing files away and the new ones in, the host file last."""
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
        _move_away(targets)
        written = list(_move(checked, targets, staged))
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    _give_to_owner(targets.state, written)


def _move_away(targets: Targets) -> None:
    if not (there := _existing(targets)):
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
    """Give files that root restores, and their folders, to the owner of the state directory."""
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
        "do not run another daemon with this key; if the account has sent transactions since the backup, "
        "this daemon waits 20 blocks before it spends"
    )
