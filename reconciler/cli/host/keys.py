"""`provider-daemon keys`: keyrings that the chain's own client can open."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reconciler.chain.keyring import Keyring, KeyringEntry, create_keyring, open_keyring
from reconciler.chain.keys import key_from_words, new_words
from reconciler.cli.errors import CliError
from reconciler.cli.options import echo_structured, host_option, output_option, settings_of
from reconciler.settings import KeySettings, read_passphrase


@click.group()
@click.option(
    "--keyring-dir",
    type=click.Path(path_type=Path),
    help="The directory that holds keyring-file or keyring-test; default: the host file's.",
)
@click.option(
    "--keyring-backend",
    type=click.Choice(["file", "test"]),
    help="The keyring's backend; default: the host file's.",
)
@host_option
@click.pass_context
def keys(
    ctx: click.Context, keyring_dir: Path | None, keyring_backend: str | None, host: Path | None
) -> None:
    """Add, show and list keys."""
    if keyring_dir is not None:
        ctx.obj = KeySettings("provider", keyring_dir, keyring_backend or "file", None)
        return
    settings = settings_of(host).key
    ctx.obj = KeySettings(
        settings.name, settings.keyring, keyring_backend or settings.backend, settings.passphrase_file
    )


@keys.command()
@click.argument("name")
@click.option("--recover", "recovering", is_flag=True, help="Read a mnemonic from standard input.")
@output_option
@click.pass_obj
def add(settings: KeySettings, name: str, recovering: bool, output: str) -> None:
    """Add key NAME; the mnemonic of a new key is printed once, store it on another machine."""
    mnemonic = _read_mnemonic() if recovering else new_words()
    try:
        key = key_from_words(mnemonic)
    except ValueError as error:
        raise CliError(f"error: {error}") from None
    entry = _keyring(settings, creating=True).add(name, key)
    if echo_structured({**_fields(entry), **({} if recovering else {"mnemonic": mnemonic})}, output):
        return
    click.echo(f"{entry.name}: {entry.address}")
    if not recovering:
        click.echo(f"Write this down; the key cannot be recovered without it:\n\n{mnemonic}")


@keys.command()
@click.argument("name")
@click.option("-a", "--address", "address_only", is_flag=True, help="Only the address.")
@output_option
@click.pass_obj
def show(settings: KeySettings, name: str, address_only: bool, output: str) -> None:
    """Show key NAME."""
    entry = _keyring(settings).show(name)
    if address_only:
        click.echo(entry.address)
    else:
        _echo_entries([entry], output)


@keys.command("list")
@output_option
@click.pass_obj
def list_keys(settings: KeySettings, output: str) -> None:
    """List the keys."""
    _echo_entries(list(_keyring(settings).entries()), output)


def _read_mnemonic() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("mnemonic", hide_input=True))
    return sys.stdin.readline().strip()


def _keyring(settings: KeySettings, *, creating: bool = False) -> Keyring:
    directory = settings.keyring / f"keyring-{settings.backend}"
    passphrase = None
    if settings.backend == "file":
        passphrase = read_passphrase(settings)
        if passphrase is None and sys.stdin.isatty():
            passphrase = str(click.prompt("keyring passphrase", hide_input=True))
    if creating and not directory.exists():
        return create_keyring(directory, passphrase)
    return open_keyring(directory, passphrase)


def _echo_entries(entries: list[KeyringEntry], output: str) -> None:
    if not echo_structured([_fields(e) for e in entries], output):
        for entry in entries:
            click.echo(f"{entry.name}: {entry.address}")


def _fields(entry: KeyringEntry) -> dict[str, str]:
    return {"name": entry.name, "type": "local", "address": entry.address}
