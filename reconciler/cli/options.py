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
    type=click.Choice(["text", "wide", "json", "yaml"]),
    default="text",
    show_default=True,
    help="text and wide (nothing shortened) for people, json and yaml for programs.",
)


def structured_text(value: object, output: str) -> str | None:
    """A view, or dicts and lists, as JSON or YAML; None for output for people."""
    if output not in ("json", "yaml"):
        return None
    from reconciler.reports.view_json import view_text, view_tree  # only where it is asked for

    if output == "json":
        return view_text(value)
    import yaml

    return str(yaml.safe_dump(view_tree(value), sort_keys=False, allow_unicode=True))


def echo_structured(value: object, output: str) -> bool:
    """Print a value as JSON or YAML if that is the output; whether it was."""
    if (text := structured_text(value, output)) is None:
        return False
    click.echo(text, nl=False)
    return True


def is_text(output: str) -> bool:
    """Whether the output is for people."""
    return output in ("text", "wide")


def terminal_width(output: str = "text") -> int | None:
    """Columns of the terminal; None where nothing is shortened: `wide`, and output to a file or pipe."""
    if output == "wide":
        return None
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
