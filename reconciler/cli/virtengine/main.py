"""`virtengine`: a read-only client with the sheet's commands, answering as the real one prints."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import metadata

import click

from reconciler.cli.host.hardening import harden_process
from reconciler.cli.main import run_command
from reconciler.cli.virtengine.handover import LazyHanding, real_client

PACKAGE = "virtengine-provider-gitops"


COMMANDS = {
    "keys": ("reconciler.cli.virtengine.keys:keys", "show and list keys of the keyring"),
    "query": (
        "reconciler.cli.virtengine.main:query",
        "ask the chain: market, escrow, provider, bank (short: q)",
    ),
    "status": ("reconciler.cli.virtengine.status:status", "show how far the node is"),
}

QUESTIONS = {
    "market": ("reconciler.cli.virtengine.market:market", "orders, bids and leases"),
    "escrow": ("reconciler.cli.virtengine.escrow:escrow", "escrow accounts and payments"),
    "provider": ("reconciler.cli.virtengine.records:provider", "providers' records"),
    "bank": ("reconciler.cli.virtengine.records:bank", "balances"),
}


class QueryClient(LazyHanding):
    """The commands of `virtengine`."""

    places = COMMANDS

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, "query" if cmd_name == "q" else cmd_name)


class Questions(LazyHanding):
    """The commands of `virtengine query`."""

    places = QUESTIONS


def _tell_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if not asked or ctx.resilient_parsing:
        return
    click.echo(f"virtengine {metadata.version(PACKAGE)}, the read-only client of {PACKAGE}")
    real = real_client(os.environ)
    click.echo(f"the chain's own client: {real or 'none on the PATH'}")
    ctx.exit()


@click.group(cls=QueryClient, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_version,
    help="Which client this is, and where the chain's own one is.",
)
def virtengine() -> None:
    """Read the chain and the keyring.

    Answers have the fields, names and order of the chain's own client, which has the same name. It is not
    hidden: commands that are not here (such as `tx`) go to the first other `virtengine` on the PATH, with
    all their arguments; call it by its full path for everything else. `--version` says where it is.

    The node is --node or --grpc-addr, else $VE_NODE or $VE_GRPC_ADDR, else the host file's.
    """


@click.group(cls=Questions)
def query() -> None:
    """Ask the chain."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    harden_process()
    raise SystemExit(run_command(virtengine, arguments))
