"""Options that several commands share; nothing of the settings is imported, for commands that need none."""

from __future__ import annotations

from pathlib import Path

import click

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
