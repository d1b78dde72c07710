"""`provider-daemon devnet tenant`: act as a tenant of a SIMULATED market that runs in another terminal."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click

from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_errors import NodeError
from reconciler.cli.options import echo_structured, options, output_option
from reconciler.devnet.accounts import TENANTS, key_of
from reconciler.devnet.errors import DevnetError
from reconciler.devnet.home import Home
from reconciler.devnet.tenant_client import GatewayAccess, TenantClient, new_certificate
from reconciler.devnet.trading import (
    DEPOSIT_UVE,
    ESCROW_SECONDS,
    ESCROW_UVE,
    OrderRequest,
    Trade,
    Trader,
    TransactionClient,
)
from reconciler.manifests.errors import ManifestError
from reconciler.manifests.sdl_groups import SdlDeployment, read_deployment
from reconciler.values.money import plain, show_rate
from reconciler.values.resources import USAGE_BILLED
from reconciler.values.text import one_line

home_option = click.option(
    "--home", type=click.Path(path_type=Path, file_okay=False), help="The devnet's directory."
)
as_option = click.option(
    "--as",
    "name",
    type=click.Choice(TENANTS),
    default=TENANTS[0],
    show_default=True,
    help="The account that acts.",
)


@click.group()
def tenant() -> None:
    """Act as a tenant on a SIMULATED market that runs in another terminal."""


Show = Callable[[dict[str, Any], str], None]
"""Prints a result: its fields as JSON, or as a sentence."""


def _act(command: Callable[..., None]) -> Callable[..., None]:
    """A command of a tenant of the running market: it gets the trader, `Show` and its own parameters."""

    @home_option
    @as_option
    @output_option
    @wraps(command)
    def run(home: Path | None, name: str, output: str, **parameters: Any) -> None:
        found = home or click.get_current_context().find_object(Path)
        if found is None:
            raise click.UsageError("name the devnet's directory: --home DIR")
        node = GrpcNode(f"127.0.0.1:{Home(found.absolute()).running().ports.grpc}")
        try:
            command(Trader(TransactionClient(node), key_of(name)), partial(_print, output), **parameters)
        except NodeError as error:
            raise DevnetError(str(error)) from None
        finally:
            node.close()

    return run


def _print(output: str, fields: dict[str, Any], sentence: str) -> None:
    if not echo_structured({"simulator": True} | fields, output):
        click.echo(f"(simulated) {sentence}")


@tenant.command()
@click.option(
    "--price", type=click.IntRange(1), default=4000, show_default=True, help="The maximum, in uve a block."
)
@click.option("--cpu", type=click.IntRange(10), default=1000, show_default=True, help="CPU in millicores.")
@click.option("--memory", type=click.IntRange(1), default=1024, show_default=True, help="Memory in MB.")
@click.option("--storage", type=click.IntRange(5), default=1024, show_default=True, help="Storage in MB.")
@click.option("--billing", type=click.Choice(["lease", "usage"]), default="lease", show_default=True)
@click.option(
    "--deposit", type=click.IntRange(500_000), default=DEPOSIT_UVE, show_default=True, help="Deposit in uve."
)
@click.option(
    "--sdl",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Post what this SDL file says instead, with the hash of its manifest.",
)
@_act
def order(trader: Trader, show: Show, price: int, billing: str, sdl: Path | None, **wanted: int) -> None:
    """Post an order, in a deployment of its own."""
    if sdl is not None:
        posted_sdl = trader.deploy(_deployment_of(sdl), wanted["deposit"])
        fields = {"order": f"{posted_sdl}/1/1", "dseq": posted_sdl.dseq}
        show(fields, f"posted deployment {posted_sdl} of {sdl}")
        return
    size = wanted["cpu"], wanted["memory"], wanted["storage"]
    attributes = (USAGE_BILLED,) if billing == "usage" else ()
    (posted,) = trader.order(OrderRequest(Decimal(price), *size, attributes, wanted["deposit"]))
    show({"order": str(posted), "dseq": posted.dseq}, f"posted order {posted}")


@tenant.command()
@click.argument("dseq", type=int)
@click.option("--provider", default="", help="The bidder's address; default: the cheapest bid.")
@_act
def accept(trader: Trader, show: Show, dseq: int, provider: str) -> None:
    """Accept a bid on the order of deployment DSEQ, which creates a lease."""
    bid = trader.trade(dseq).best(provider)
    trader.accept(bid)
    show({"lease": str(bid), "provider": bid.provider}, f"created lease {bid}")


@tenant.command()
@click.argument("dseq", type=int)
@_act
def close(trader: Trader, show: Show, dseq: int) -> None:
    """Close deployment DSEQ, and with it its lease."""
    closed = trader.close(trader.trade(dseq).dseq)
    show({"dseq": dseq, "height": closed.height}, f"closed deployment {dseq}")


@tenant.command()
@click.argument("dseq", type=int)
@click.argument("amount", type=click.IntRange(1))
@_act
def deposit(trader: Trader, show: Show, dseq: int, amount: int) -> None:
    """Deposit AMOUNT uve into the escrow of deployment DSEQ."""
    trader.deposit(trader.trade(dseq).dseq, amount)
    show({"dseq": dseq, "deposited_uve": amount}, f"put {amount}uve into deployment {dseq}")


@tenant.command()
@click.argument("dseq", type=int)
@click.option(
    "--amount", type=click.IntRange(1), default=ESCROW_UVE, show_default=True, help="Amount in uve."
)
@click.option("--seconds", type=click.IntRange(3600, 31_536_000), default=ESCROW_SECONDS, show_default=True)
@_act
def escrow(trader: Trader, show: Show, dseq: int, amount: int, seconds: int) -> None:
    """Create a settlement escrow for the order of deployment DSEQ, active for its lease's provider."""
    lease = trader.trade(dseq).active_lease()
    created = trader.escrow(lease, amount, seconds)
    fields = {"escrow": created, "order": str(lease.order), "amount_uve": amount}
    show(fields, f"{created} is active and holds {amount}uve for usage of order {lease.order}")


@tenant.command("list")
@_act
def list_trades(trader: Trader, show: Show) -> None:
    """List the tenant's deployments with their orders, bids and leases."""
    trades, name = trader.trades(), click.get_current_context().params["name"]
    first = f"{name} ({trader.address}) has {len(trades)} deployments"
    fields = {"tenant": trader.address, "deployments": [_fields(each) for each in trades]}
    show(fields, "\n".join([first, *map(_line, trades)]))


gateway_options = options(
    click.option("--gateway", "url", required=True, help="The provider's gateway: https://HOST:PORT."),
    click.option(
        "--ca",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Authorities for the gateway's certificate, PEM; default: the system's.",
    ),
    click.option(
        "--certificate",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Client certificate of `devnet tenant certificate`; default: a token of the account's key.",
    ),
)


@tenant.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--sdl", "is_sdl", flag_value=True, default=True, help="FILE is an SDL file (default).")
@click.option("--manifest", "is_sdl", flag_value=False, help="FILE is the JSON of a manifest.")
@click.option("--dseq", type=int, required=True, help="The deployment, as `order --sdl` posted it.")
@gateway_options
@_act
def manifest(trader: Trader, show: Show, file: Path, is_sdl: bool, dseq: int, **access: Any) -> None:
    """Send the manifest of a deployment to the provider of its lease."""
    body = _deployment_of(file).manifest.sorted_json().encode() if is_sdl else file.read_bytes()
    _client(trader, **access).send_manifest(dseq, body)
    show({"dseq": dseq, "accepted": True}, f"the provider accepted the manifest of deployment {dseq}")


@tenant.command()
@click.argument("dseq", type=int)
@gateway_options
@_act
def status(trader: Trader, show: Show, dseq: int, **access: Any) -> None:
    """Show the status of the services of deployment DSEQ, as its provider reports it."""
    found = _client(trader, **access).status(trader.trade(dseq).active_lease())
    services = found.get("services") or {}
    lines = [f"{name}: {each['available']} of {each['total']} available" for name, each in services.items()]
    show(found, "\n".join(lines) or "no services")


@tenant.command()
@click.argument("dseq", type=int)
@click.option("--tail", type=click.IntRange(1, 10_000), default=100, show_default=True)
@gateway_options
@_act
def logs(trader: Trader, show: Show, dseq: int, tail: int, **access: Any) -> None:
    """Show the last log lines of deployment DSEQ, as its provider sends them."""
    lines = list(_client(trader, **access).logs(trader.trade(dseq).active_lease(), tail=tail))
    show({"lines": lines}, "\n".join(lines) or "no lines")


@tenant.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_act
def certificate(trader: Trader, show: Show, file: Path) -> None:
    """Make a client certificate, publish it on the chain, and write it with its key into FILE."""
    trader.execute(new_certificate(trader.key, file))
    show({"file": str(file), "owner": trader.address}, f"published the certificate in {file}")


def _client(trader: Trader, url: str, ca: Path | None, certificate: Path | None) -> TenantClient:
    return TenantClient(GatewayAccess(url.rstrip("/"), ca, certificate), trader.key)


def _deployment_of(sdl: Path) -> SdlDeployment:
    try:
        return read_deployment(sdl.read_bytes())
    except ManifestError as error:
        raise DevnetError(one_line(f"{sdl}: {error}")) from None


def _fields(trade: Trade) -> dict[str, Any]:
    return {
        "dseq": trade.dseq,
        "state": trade.state,
        "order": str(trade.order),
        "order_state": trade.order_state,
        "bids": [
            {"provider": o.id.provider, "price_uve": plain(o.price), "state": o.state} for o in trade.offers
        ],
        "lease": str(trade.lease) if trade.lease else None,
        "lease_state": trade.lease_state or None,
        "funds_uve": plain(trade.funds),
        "escrow_state": trade.settlement or None,
    }


def _line(trade: Trade) -> str:
    bids = ", ".join(f"{show_rate(o.price)} {o.state}" for o in trade.offers) or "none"
    lease = f"{trade.lease_state} with {trade.lease.provider}" if trade.lease else "none"
    escrow = f"; settlement escrow {trade.settlement}" if trade.settlement else ""
    return (
        f"{trade.dseq}  {trade.state}, order {trade.order_state}; bids: {bids}; lease: {lease}; "
        f"{show_rate(trade.funds)} left{escrow}"
    )
