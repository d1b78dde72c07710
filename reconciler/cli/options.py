"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reconciler.settings import Flags, Settings, load_settings

host_option = click.option(
    "--host",
    type=click.Path(path_type=Path),
    help="The host file; else $PROVIDER_DAEMON_HOST, else /etc/provider-daemon.yaml.",
)

output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For a person, or for a program.",
)


def settings_of(host: Path | None, *, observe_only: bool = False) -> Settings:
    """The settings; SettingsError says what is wrong with the host file."""
    return load_settings(Flags(host, observe_only), os.environ)
