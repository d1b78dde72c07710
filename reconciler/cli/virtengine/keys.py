"""`virtengine keys`: a keyring as the chain's own client shows it; nothing is written."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from reconciler.chain.keyring import Keyring, KeyringEntry, open_keyring
from reconciler.cli.errors import CliError
from reconciler.cli.options import host_option, settings_of
from reconciler.cli.virtengine.handover import Handing
from reconciler.cli.virtengine.output import as_yaml, one_line
from reconciler.settings import SettingsError, read_passphrase

SECP256K1 = "/cosmos.crypto.secp256k1.PubKey"
KEYRINGS = ("keyring-test", "keyring-file")
"""Directories inside a home; without --keyring-backend the first that is there is opened."""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class KeyringLocation:
    """Where the keyring is said to be; all None: in the host file."""

    keyring_dir: Path | None
    home: Path | None
    keyring_backend: str | None
    host: Path | None


def _place_options(command: Command) -> Command:
    directory = click.Path(path_type=Path, file_okay=False)
    for option in (
        click.option(
            "--keyring-dir",
            type=directory,
            envvar="VE_KEYRING_DIR",
            help="The directory that holds keyring-file or keyring-test; else --home, else the host file's.",
        ),
        click.option(
            "--home", type=directory, envvar="VE_HOME", help="The same, as the chain's client says."
        ),
        click.option(
            "--keyring-backend",
            type=click.Choice(["file", "test"]),
            envvar="VE_KEYRING_BACKEND",
            help="Which of the two; else the host file's, else test where it is there.",
        ),
        host_option,
    ):
        command = option(command)
    return command


output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    envvar="VE_OUTPUT",
    show_default=True,
    help="YAML, or one line of JSON.",
)


@click.group(cls=Handing)
def keys() -> None:
    """Show and list keys; `provider-daemon keys add` makes them."""


@keys.command()
@click.argument("name")
@click.option("-a", "--address", "address_only", is_flag=True, help="The address alone.")
@output_option
@_place_options
@click.pass_context
def show(ctx: click.Context, /, name: str, address_only: bool, output: str, **place: Any) -> None:
    """Show the key of this NAME, or at this address."""
    if address_only and ctx.get_parameter_source("output") is ParameterSource.COMMANDLINE:
        raise click.UsageError("cannot use --output with --address: an address has one form")
    entry = _ring(KeyringLocation(**place)).show(name)
    if address_only:
        click.echo(entry.address)
    elif output == "json":
        click.echo(one_line(_fields(entry)))
    else:
        click.echo(_text([entry]))


@keys.command("list")
@output_option
@_place_options
def list_keys(output: str, **place: Any) -> None:
    """List the keys, by name."""
    entries = _ring(KeyringLocation(**place)).entries()
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
    """A YAML list, and an empty line behind it, as the chain's client prints it."""
    return as_yaml([{**_fields(entry), "mnemonic": ""} for entry in entries], sort_keys=False)


def _ring(place: KeyringLocation) -> Keyring:
    given = place.keyring_dir or place.home
    if given is not None:
        directory = _directory(given, place.keyring_backend)
        return _opened(directory, None)
    try:
        key = settings_of(place.host).key
    except SettingsError as error:
        raise CliError(f"error: {error}; or name the keyring with --keyring-dir DIR") from None
    directory = _directory(key.keyring, place.keyring_backend or key.backend)
    return _opened(directory, read_passphrase(key) if directory.name == "keyring-file" else None)


def _directory(given: Path, backend: str | None) -> Path:
    if given.name in KEYRINGS:
        return given
    if backend:
        return given / f"keyring-{backend}"
    return next((given / name for name in KEYRINGS if (given / name).is_dir()), given)


def _opened(directory: Path, passphrase: str | None) -> Keyring:
    if passphrase is None and (directory / "keyhash").exists():
        passphrase = _asked()
    return open_keyring(directory, passphrase)


def _asked() -> str:
    """From the terminal; else, as the chain's client does, the first line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt("keyring passphrase", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")
