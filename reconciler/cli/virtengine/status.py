"""`virtengine status`: what the node's RPC says of itself."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.chain.node_errors import NodeError
from reconciler.cli.errors import CliError
from reconciler.cli.options import host_option
from reconciler.cli.virtengine.address import node_option, rpc_at, rpc_of_host
from reconciler.cli.virtengine.output import say


@click.command()
@node_option
@host_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="json",
    show_default=True,
    help="One line of JSON, or YAML.",
)
def status(node: str | None, host: Path | None, output: str) -> None:
    """Show the node: who it is, its chain, its last block, whether it is catching up."""
    rpc = rpc_at(node) if node else rpc_of_host(host)
    try:
        answer = rpc.call("status")
    except NodeError as error:
        raise CliError(f"error: {error}") from None
    say(answer, output)
