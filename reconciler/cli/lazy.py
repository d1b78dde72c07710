"""A command group that imports a command's module only when it is called, so that `--help` starts fast."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click
from click.shell_completion import CompletionItem

USAGE_ERROR = 64
"""The exit code of usage errors (EX_USAGE)."""


class LazyGroup(click.Group):
    """A group whose commands are imported on demand."""

    commands_by_name: Mapping[str, tuple[str, str]] = {}
    """Name -> `module:attribute` and a line of help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.commands_by_name]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands_by_name:
            return None
        module, _, attribute = self.commands_by_name[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = [
            CompletionItem(name, help=text)
            for name, (_, text) in self.commands_by_name.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.commands_by_name.items()])
