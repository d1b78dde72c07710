"""`provider-daemon seal` and `unseal`: values that only this provider can read."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import time

import click

from reconciler.cli.errors import CliError
from reconciler.cli.options import host_option, settings_of
from reconciler.git.branch_writer import FileCommit
from reconciler.git.manifest_branch import ManifestBranch, OtherContentError
from reconciler.git.mirror import MirrorError
from reconciler.manifests.errors import ManifestError
from reconciler.manifests.stored_manifest import ManifestFileError
from reconciler.runtime.accepted_manifests import resealed
from reconciler.runtime.sealing import (
    PLAIN_BYTES_MAX,
    Identities,
    SealingError,
    add_identity,
    new_identity,
)
from reconciler.runtime.sealing import seal as seal_value
from reconciler.settings import SealingSettings, Settings

ROTATIONS_MAX = 5
"""Attempts, each on what was accepted until then."""


@click.command()
@click.option("--recipient", metavar="AGE", help="The age recipient; default: the host file's.")
@click.option("--new-identity", is_flag=True, help="Make an identity on this host and print its recipient.")
@click.option("--rotate", is_flag=True, help="Seal all accepted manifests again, in one commit.")
@host_option
def seal(recipient: str | None, new_identity: bool, rotate: bool, host: Path | None) -> None:
    """Seal the value on standard input, for `sealed:` in workload files; a final line end is not part of it.

    To rotate the identity: `seal --new-identity`, write the recipient that it prints into the host file,
    restart the daemon, then `seal --rotate`. Former identities stay in the file, for values that are sealed
    in workload files.
    """
    try:
        if new_identity:
            _add_identity(settings_of(host))
        elif rotate:
            _rotate(settings_of(host))
        else:
            text = _standard_input()
            click.echo(seal_value(text, recipient or _sealing(settings_of(host)).recipient))
    except (SealingError, MirrorError, ManifestError, ManifestFileError) as error:
        raise CliError(f"error: {error}") from None


@click.command()
@host_option
def unseal(host: Path | None) -> None:
    """Print the plain value of a sealed one on standard input; on the host of the identity only."""
    try:
        identities = Identities(_sealing(settings_of(host)).identity)
        plain = identities.unseal(_standard_input().decode("ascii", "replace").strip())
    except SealingError as error:
        raise CliError(f"error: {error}") from None
    sys.stdout.buffer.write(plain + (b"\n" if sys.stdout.isatty() else b""))
    sys.stdout.flush()


def _add_identity(settings: Settings) -> None:
    identity, recipient = new_identity()
    path = settings.sealing.identity if settings.sealing else settings.default_identity
    try:
        add_identity(path, identity)
    except OSError as error:
        raise CliError(f"error: {path} cannot be written: {error.strerror}") from None
    click.echo(recipient)
    click.echo(
        f"{path} holds its identity; write the line above as sealing.recipient into {settings.host_file}, "
        "make a backup, and restart the daemon",
        err=True,
    )


def _rotate(settings: Settings) -> None:
    """Seal what the branch holds for the recipient of the host file."""
    sealing = _sealing(settings)
    identities = Identities(sealing.identity)
    if sealing.recipient not in identities.recipients():
        raise SealingError(
            f"{sealing.identity} has no identity for sealing.recipient, so what is sealed now could not be "
            "unsealed; run `provider-daemon seal --new-identity`, and write its recipient into the host file"
        )
    branch = ManifestBranch(settings.repository, settings.state, f"tenants/{settings.provider}")
    for attempt in range(ROTATIONS_MAX):
        files = branch.open().files
        fresh, unreadable = _resealed(branch, files, identities, sealing.recipient)
        if not files:
            click.echo("no manifest is stored")
            return
        if fresh:
            message = f"Seal {len(fresh)} manifests for another identity"
            made = FileCommit(dict(fresh), message, settings.repository.author, int(time()))
            try:
                (commit,) = branch.commit([made], {path: files[path] for path in fresh})
            except OtherContentError:  # a newer one must not be replaced
                if attempt < ROTATIONS_MAX - 1:
                    continue
                raise
            click.echo(f"{commit[:12]}: sealed {len(fresh)} manifests again; the daemon pushes the commit")
        break
    if unreadable:
        raise CliError("\n".join(f"error: not sealed again: {why}" for why in unreadable))


def _resealed(
    branch: ManifestBranch, files: Mapping[str, str], identities: Identities, recipient: str
) -> tuple[Mapping[str, bytes], Sequence[str]]:
    """The files sealed to the recipient, and why others cannot be."""
    fresh, unreadable, contents = {}, [], branch.read([*files.values()])
    for path, blob in files.items():
        try:
            if blob not in contents:
                raise ManifestFileError(f"{path} is missing in the mirror")
            fresh[path] = resealed(path, contents[blob], identities, recipient)
        except (SealingError, ManifestError, ManifestFileError) as error:
            unreadable.append(f"{path}: {error}")
    return fresh, unreadable


def _sealing(settings: Settings) -> SealingSettings:
    if settings.sealing is None:
        raise SealingError(
            f"{settings.host_file} has no sealing section; run `provider-daemon seal --new-identity`, and "
            "write the recipient that it prints there"
        )
    return settings.sealing


def _standard_input() -> bytes:
    text = sys.stdin.buffer.read(PLAIN_BYTES_MAX + 1)
    if len(text) > PLAIN_BYTES_MAX:
        raise SealingError(f"the value is longer than {PLAIN_BYTES_MAX} bytes")
    return text.removesuffix(b"\n").removesuffix(b"\r")
