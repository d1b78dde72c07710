"""`virtengine`: a read-only client with the sheet's commands, answering as the real one prints."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
import yaml

from reconciler.chain.client_json import printed
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.keyring import open_keyring
from reconciler.chain.node_errors import NodeError
from reconciler.chain.proto import cosmos_paging_pb2, market_v1_pb2, market_v1beta5_pb2
from reconciler.chain.queries import BIDS, LEASES, Queries
from reconciler.cli.faults import ToldError
from reconciler.cli.main import run_command
from reconciler.cli.options import host_option, settings_of
from reconciler.settings import KeySettings, read_passphrase

EVERYTHING = 1_000_000
"""A limit that no list reaches, so that the walk over states loses none of them (semantics 2.2 A)."""

INDEXED = {"bids": ("open", "active"), "leases": ("active",)}
"""States that the chain can list by provider; asked for others it shows nothing, without an error (semantics
2.2 B).
"""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is filtered by; None: any."""

    owner: str | None
    dseq: int | None
    gseq: int | None
    oseq: int | None
    provider: str | None
    state: str | None
    limit: int


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def virtengine() -> None:
    """Read the chain and the keyring; to send transactions, use the chain's own client."""


@virtengine.group()
def keys() -> None:
    """Keys of the keyring."""


@keys.command()
@click.argument("name")
@click.option("-a", "--address", "address_only", is_flag=True, help="The address alone.")
@click.option("--keyring-dir", type=click.Path(path_type=Path), help="Else the host file's.")
@click.option("--keyring-backend", type=click.Choice(["file", "test"]), help="Else the host file's.")
@host_option
def show(
    name: str, address_only: bool, keyring_dir: Path | None, keyring_backend: str | None, host: Path | None
) -> None:
    """Show key NAME."""
    if keyring_dir:
        where = KeySettings(name, keyring_dir, keyring_backend or "test", None)
    else:
        where = settings_of(host).key
    directory = where.keyring / f"keyring-{keyring_backend or where.backend}"
    entry = open_keyring(directory, read_passphrase(where)).show(name)
    if address_only:
        click.echo(entry.address)
        return
    told = {"name": entry.name, "type": "local", "address": entry.address, "mnemonic": ""}
    click.echo(yaml.safe_dump([told], sort_keys=True), nl=False)


@virtengine.group()
def query() -> None:
    """Questions to the chain."""


@query.group()
def market() -> None:
    """Bids and leases."""


def filters(command: Command) -> Command:
    """The flags of the sheet; --gseq and --oseq left out mean any."""
    for option in (
        click.option("--owner"),
        click.option("--dseq", type=int),
        click.option("--gseq", type=int),
        click.option("--oseq", type=int),
        click.option("--provider"),
        click.option("--state"),
        click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True),
        click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text"),
        click.option("--grpc-addr", help="host:port; else the host file's."),
        host_option,
    ):
        command = option(command)
    return command


@market.command()
@filters
def leases(output: str, grpc_addr: str | None, host: Path | None, **flags: Any) -> None:
    """List leases."""
    _print(_listed("leases", Asked(**flags), grpc_addr, host), output)


@market.command()
@filters
def bids(output: str, grpc_addr: str | None, host: Path | None, **flags: Any) -> None:
    """List bids."""
    _print(_listed("bids", Asked(**flags), grpc_addr, host), output)


def _listed(what: str, asked: Asked, grpc_addr: str | None, host: Path | None) -> dict[str, Any]:
    target, tls = (grpc_addr, False) if grpc_addr else _target(host)
    node = GrpcNode(target, tls)
    try:
        rows = _rows(Queries(node), what, asked)
    except NodeError as error:
        raise ToldError(f"error: {error}") from None
    finally:
        node.close()
    shown = rows[: asked.limit]
    more = len(rows) > len(shown)
    return {
        what: shown,
        "pagination": {"next_key": "more rows: raise --limit" if more else None, "total": str(len(shown))},
    }


def _target(host: Path | None) -> tuple[str, bool]:
    chain = settings_of(host).chain
    return chain.grpc, chain.tls


def _rows(queries: Queries, what: str, asked: Asked) -> list[dict[str, Any]]:
    """Every row that fits. States without an index by provider are picked from the unfiltered list."""
    indexed = asked.state if asked.state in INDEXED[what] or asked.owner else None
    fields: dict[str, Any] = {
        "owner": asked.owner or "",
        "dseq": asked.dseq or 0,
        "gseq": asked.gseq or 0,
        "oseq": asked.oseq or 0,
        "provider": asked.provider or "",
        "state": indexed or "",
    }
    page = cosmos_paging_pb2.PageRequest(limit=EVERYTHING)
    found: Sequence[Any]
    if what == "bids":
        bid_filters = market_v1beta5_pb2.BidFilters(**fields)
        found = queries.ask(
            BIDS, market_v1beta5_pb2.QueryBidsRequest(filters=bid_filters, pagination=page)
        ).bids
    else:
        lease_filters = market_v1_pb2.LeaseFilters(**fields)
        found = queries.ask(
            LEASES, market_v1beta5_pb2.QueryLeasesRequest(filters=lease_filters, pagination=page)
        ).leases
    rows = [printed(row) for row in found]
    inner = what.removesuffix("s")
    return [row for row in rows if asked.state in (None, row[inner]["state"])]


def _print(answer: dict[str, Any], output: str) -> None:
    if output == "json":
        click.echo(json.dumps(answer, separators=(",", ":"), ensure_ascii=False))
    else:
        click.echo(yaml.safe_dump(answer, sort_keys=True, allow_unicode=True), nl=False)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    raise SystemExit(run_command(virtengine, arguments))
