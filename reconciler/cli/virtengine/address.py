"""Which node is meant: an RPC address as the chain's own client takes it, or the host file's."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import click

from reconciler.chain.node_address import ChainSettings
from reconciler.chain.rpc import Rpc
from reconciler.cli.errors import CliError
from reconciler.cli.options import settings_of
from reconciler.settings import SettingsError

node_option = click.option(
    "--node",
    envvar="VE_NODE",
    metavar="tcp://HOST:PORT",
    help="The node's RPC address, tcp:// or http(s)://; else the host file's node.",
)


def rpc_at(node: str) -> Rpc:
    """The RPC at an address; a usage error where it is none. `tcp://` is plain HTTP, as it is there."""
    scheme, separator, rest = node.rpartition("://")
    url = f"http://{rest}" if scheme in ("", "tcp") else f"{scheme}{separator}{rest}"
    try:
        if urlsplit(url).port == 0:
            raise ValueError
        return Rpc(url)
    except ValueError:
        raise click.UsageError(f"--node {node} is not an RPC address; write tcp://HOST:26657") from None


def rpc_of_host(host: Path | None) -> Rpc:
    """The RPC that the host file names."""
    return chain_of_host(host).node.rpc_client()


def chain_of_host(host: Path | None) -> ChainSettings:
    """The host file's chain; ToldError where there is no host file to read."""
    try:
        return settings_of(host).chain
    except SettingsError as error:
        raise CliError(
            f"error: {error}; or name the node with --node tcp://HOST:26657 or --grpc-addr HOST:9090"
        ) from None
