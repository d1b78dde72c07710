"""Options that several commands share, and the settings that the host file gives."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from reconciler.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

host_option = click.option(
    "--host",
    type=click.Path(path_type=Path),
    help="The host file; default: $PROVIDER_DAEMON_HOST, else /etc/provider-daemon.yaml.",
)

output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text for people, json for programs.",
)


def terminal_width() -> int | None:
    """Columns of the terminal; None if the output goes to a file or a pipe, which gets whole values."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def options(*decorators: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Several options as one decorator, shown in this order."""

    def add(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return add


def settings_of(host: Path | None, *, observe_only: bool = False) -> Settings:
    """The settings; SettingsError says what is wrong with the host file."""
    from reconciler.settings import Flags, load_settings  # many commands need no settings and start without

    return load_settings(Flags(host, observe_only), os.environ)
