"""`virtengine`: a read-only client that prints answers as the chain's own client does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import metadata

import click

from reconciler.cli.host.hardening import harden_process
from reconciler.cli.main import run_command
from reconciler.cli.virtengine.handover import LazyHandoverGroup, real_client

PACKAGE = "virtengine-provider-gitops"

COMMANDS = {
    "keys": ("reconciler.cli.virtengine.keys:keys", "show and list keys of the keyring"),
    "query": (
        "reconciler.cli.virtengine.main:query",
        "query the chain: market, escrow, provider, bank (short: q)",
    ),
    "status": ("reconciler.cli.virtengine.node:status", "show the node's identity and last block"),
}

QUERIES = {
    "market": ("reconciler.cli.virtengine.queries:market", "orders, bids and leases"),
    "escrow": ("reconciler.cli.virtengine.escrow:escrow", "escrow accounts and payments"),
    "provider": ("reconciler.cli.virtengine.queries:provider", "records of providers"),
    "bank": ("reconciler.cli.virtengine.queries:bank", "balances"),
}


class CommandGroup(LazyHandoverGroup):
    """The commands of `virtengine`."""

    commands_by_name = COMMANDS

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, "query" if cmd_name == "q" else cmd_name)


class QueryGroup(LazyHandoverGroup):
    """The commands of `virtengine query`."""

    commands_by_name = QUERIES


def _print_version(ctx: click.Context, _: click.Parameter, is_set: bool) -> None:
    if not is_set or ctx.resilient_parsing:
        return
    click.echo(f"virtengine {metadata.version(PACKAGE)}, the read-only client of {PACKAGE}")
    click.echo(f"the chain's own client: {real_client(os.environ) or 'none on the PATH'}")
    ctx.exit()


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version, and the path of the chain's own client.",
)
def virtengine() -> None:
    """Read the chain and the keyring.

    Answers have the fields, names and order of the chain's own client, which has the same name. It stays
    reachable: commands that are not here (such as `tx`) go to the first other `virtengine` on the PATH, with
    all their arguments; call it by its full path for everything else. `--version` shows its path.

    The node is --node or --grpc-addr, else $VE_NODE or $VE_GRPC_ADDR, else the host file's.
    """


@click.group(cls=QueryGroup)
def query() -> None:
    """Query the chain."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    harden_process()
    raise SystemExit(run_command(virtengine, arguments))
