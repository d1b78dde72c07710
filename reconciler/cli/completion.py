"""`provider-daemon completion`: completion scripts for shells."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

PROGRAM = "provider-daemon"
SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script of SHELL.

    bash: eval "$(provider-daemon completion bash)" in ~/.bashrc; zsh: the same in ~/.zshrc; fish:
    provider-daemon completion fish > ~/.config/fish/completions/provider-daemon.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None, "click knows these shells"
    root = click.get_current_context().find_root().command
    click.echo(kind(root, {}, PROGRAM, "_PROVIDER_DAEMON_COMPLETE").source())
