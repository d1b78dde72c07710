"""`virtengine keys`: a keyring as the chain's own client shows it; nothing is written."""

from __future__ import annotations

import base64
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from reconciler.chain.keyring import Keyring, KeyringEntry, open_keyring
from reconciler.cli.errors import CliError
from reconciler.cli.options import host_option, options, settings_of
from reconciler.cli.virtengine.handover import HandoverGroup
from reconciler.cli.virtengine.output import as_yaml, one_line, output_option
from reconciler.settings import SettingsError, read_passphrase

SECP256K1 = "/cosmos.crypto.secp256k1.PubKey"
KEYRINGS = ("keyring-test", "keyring-file")
"""Directories inside a home; without --keyring-backend the first that exists is opened."""


@dataclass(frozen=True, slots=True)
class KeyringLocation:
    """The flags that name the keyring; all None: the host file's keyring."""

    keyring_dir: Path | None
    home: Path | None
    keyring_backend: str | None
    host: Path | None


_directory_type = click.Path(path_type=Path, file_okay=False)
location_options = options(
    click.option(
        "--keyring-dir",
        type=_directory_type,
        envvar="VE_KEYRING_DIR",
        help="The directory that holds keyring-file or keyring-test; default: --home, else the host file's.",
    ),
    click.option(
        "--home",
        type=_directory_type,
        envvar="VE_HOME",
        help="Another name of --keyring-dir, as of the chain's client.",
    ),
    click.option(
        "--keyring-backend",
        type=click.Choice(["file", "test"]),
        envvar="VE_KEYRING_BACKEND",
        help="The keyring's backend; default: the host file's, else test if it exists.",
    ),
    host_option,
)


@click.group(cls=HandoverGroup)
def keys() -> None:
    """Show and list keys; `provider-daemon keys add` makes them."""


@keys.command()
@click.argument("name")
@click.option("-a", "--address", "address_only", is_flag=True, help="Only the address.")
@output_option
@location_options
@click.pass_context
def show(ctx: click.Context, /, name: str, address_only: bool, output: str, **location: Any) -> None:
    """Show the key with this NAME or address."""
    if address_only and ctx.get_parameter_source("output") is ParameterSource.COMMANDLINE:
        raise click.UsageError("cannot use --output with --address: an address has one form")
    entry = _keyring(KeyringLocation(**location)).show(name)
    if address_only:
        click.echo(entry.address)
    elif output == "json":
        click.echo(one_line(_fields(entry)))
    else:
        click.echo(_text([entry]))


@keys.command("list")
@output_option
@location_options
def list_keys(output: str, **location: Any) -> None:
    """List the keys, by name."""
    entries = _keyring(KeyringLocation(**location)).entries()
    if output == "json":
        click.echo(one_line([_fields(entry) for entry in entries]))
    elif entries:
        click.echo(_text(entries))
    else:
        click.echo("No records were found in keyring")


def _fields(entry: KeyringEntry) -> dict[str, str]:
    key = base64.b64encode(entry.public).decode()
    shown = one_line({"@type": SECP256K1, "key": key})
    return {"name": entry.name, "type": entry.type, "address": entry.address, "pubkey": shown}


def _text(entries: list[KeyringEntry] | tuple[KeyringEntry, ...]) -> str:
    """A YAML list and an empty line, as the chain's client prints it."""
    return as_yaml([{**_fields(entry), "mnemonic": ""} for entry in entries], sort_keys=False)


def _keyring(location: KeyringLocation) -> Keyring:
    given = location.keyring_dir or location.home
    if given is not None:
        directory = _directory(given, location.keyring_backend)
        return _open(directory, None)
    try:
        key = settings_of(location.host).key
    except SettingsError as error:
        raise CliError(f"error: {error}; or name the keyring with --keyring-dir DIR") from None
    directory = _directory(key.keyring, location.keyring_backend or key.backend)
    return _open(directory, read_passphrase(key) if directory.name == "keyring-file" else None)


def _directory(given: Path, backend: str | None) -> Path:
    if given.name in KEYRINGS:
        return given
    if backend:
        return given / f"keyring-{backend}"
    return next((given / name for name in KEYRINGS if (given / name).is_dir()), given)


def _open(directory: Path, passphrase: str | None) -> Keyring:
    if passphrase is None and (directory / "keyhash").exists():
        passphrase = _passphrase()
    return open_keyring(directory, passphrase)


def _passphrase() -> str:
    """Read from the terminal; without one, as the chain's client does, the first line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt("keyring passphrase", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")
