"""`provider-daemon devnet tenant`: act as a tenant of a SIMULATED market that runs in another terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_errors import NodeError
from reconciler.cli.options import output_option
from reconciler.devnet.accounts import TENANTS, key_of
from reconciler.devnet.errors import DevnetError
from reconciler.devnet.home import Home
from reconciler.devnet.trading import (
    DEPOSIT_UVE,
    ESCROW_SECONDS,
    ESCROW_UVE,
    OrderRequest,
    Trade,
    Trader,
    TransactionClient,
)
from reconciler.values.money import plain, show_rate

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


def _act(home: Path | None, name: str, act: Callable[[Trader], None]) -> None:
    """Act as a tenant of the running market."""
    found = home or click.get_current_context().find_object(Path)
    if found is None:
        raise click.UsageError("name the devnet's directory: --home DIR")
    facts = Home(found.absolute()).running()
    node = GrpcNode(f"127.0.0.1:{facts.ports.grpc}")
    try:
        act(Trader(TransactionClient(node), key_of(name)))
    except NodeError as error:
        raise DevnetError(str(error)) from None
    finally:
        node.close()


def _print(output: str, fields: dict[str, Any], sentence: str) -> None:
    click.echo(json.dumps({"simulator": True} | fields) if output == "json" else f"(simulated) {sentence}")


@tenant.command()
@home_option
@as_option
@output_option
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
def order(home: Path | None, name: str, output: str, billing: str, **wanted: int) -> None:
    """Post an order, in a deployment of its own."""
    request = OrderRequest(
        Decimal(wanted["price"]),
        wanted["cpu"],
        wanted["memory"],
        wanted["storage"],
        (("billing", "usage"),) if billing == "usage" else (),
        wanted["deposit"],
    )

    def act(tenant: Trader) -> None:
        (posted,) = tenant.order(request)
        _print(output, {"order": str(posted), "dseq": posted.dseq}, f"posted order {posted}")

    _act(home, name, act)


@tenant.command()
@click.argument("dseq", type=int)
@home_option
@as_option
@output_option
@click.option("--provider", default="", help="The bidder's address; default: the cheapest bid.")
def accept(dseq: int, home: Path | None, name: str, output: str, provider: str) -> None:
    """Accept a bid on the order of deployment DSEQ, which creates a lease."""

    def act(tenant: Trader) -> None:
        bid = tenant.trade(dseq).best(provider)
        tenant.accept(bid)
        _print(output, {"lease": str(bid), "provider": bid.provider}, f"created lease {bid}")

    _act(home, name, act)


@tenant.command()
@click.argument("dseq", type=int)
@home_option
@as_option
@output_option
def close(dseq: int, home: Path | None, name: str, output: str) -> None:
    """Close deployment DSEQ, and with it its lease."""

    def act(tenant: Trader) -> None:
        closed = tenant.close(tenant.trade(dseq).dseq)
        _print(output, {"dseq": dseq, "height": closed.height}, f"closed deployment {dseq}")

    _act(home, name, act)


@tenant.command()
@click.argument("dseq", type=int)
@click.argument("amount", type=click.IntRange(1))
@home_option
@as_option
@output_option
def deposit(dseq: int, amount: int, home: Path | None, name: str, output: str) -> None:
    """Deposit AMOUNT uve into the escrow of deployment DSEQ."""

    def act(tenant: Trader) -> None:
        tenant.deposit(tenant.trade(dseq).dseq, amount)
        _print(output, {"dseq": dseq, "deposited_uve": amount}, f"put {amount}uve into deployment {dseq}")

    _act(home, name, act)


@tenant.command()
@click.argument("dseq", type=int)
@home_option
@as_option
@output_option
@click.option(
    "--amount", type=click.IntRange(1), default=ESCROW_UVE, show_default=True, help="Amount in uve."
)
@click.option("--seconds", type=click.IntRange(3600, 31_536_000), default=ESCROW_SECONDS, show_default=True)
def escrow(dseq: int, home: Path | None, name: str, output: str, amount: int, seconds: int) -> None:
    """Create a settlement escrow for the order of deployment DSEQ, active for its lease's provider."""

    def act(tenant: Trader) -> None:
        lease = tenant.trade(dseq).active_lease()
        created = tenant.escrow(lease, amount, seconds)
        fields = {"escrow": created, "order": str(lease.order), "amount_uve": amount}
        _print(output, fields, f"{created} is active and holds {amount}uve for usage of order {lease.order}")

    _act(home, name, act)


@tenant.command("list")
@home_option
@as_option
@output_option
def list_trades(home: Path | None, name: str, output: str) -> None:
    """List the tenant's deployments with their orders, bids and leases."""

    def act(tenant: Trader) -> None:
        trades = tenant.trades()
        if output == "json":
            _print(output, {"tenant": tenant.address, "deployments": [_fields(t) for t in trades]}, "")
            return
        _print(output, {}, f"{name} ({tenant.address}) has {len(trades)} deployments")
        for trade in trades:
            click.echo(_line(trade))

    _act(home, name, act)


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
