"""`provider-daemon devnet tenant`: a tenant of a SIMULATED market that runs in another terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import output_option
from reconciler.devnet.accounts import TENANTS, key_of
from reconciler.devnet.home import Home
from reconciler.devnet.node import TenantNode
from reconciler.devnet.tenant import DEPOSIT_UVE, ESCROW_SECONDS, ESCROW_UVE, OrderRequest, Tenant
from reconciler.devnet.trading import Trade, escrow_state, show
from reconciler.values.money import plain, show_rate

home_option = click.option(
    "--home", type=click.Path(path_type=Path, file_okay=False), help="The directory that holds the world."
)
as_option = click.option(
    "--as", "name", type=click.Choice(TENANTS), default=TENANTS[0], show_default=True, help="Which tenant."
)


@click.group()
def tenant() -> None:
    """Play a tenant on a SIMULATED market that runs in another terminal."""


def _acting(home: Path | None, name: str, act: Callable[[Tenant], None]) -> None:
    """Do something as a tenant, over the running market's sockets."""
    found = home or click.get_current_context().find_object(Path)
    if found is None:
        raise click.UsageError("say where the world lies: --home DIR")
    facts = Home(found.absolute()).running()
    node = TenantNode(f"127.0.0.1:{facts.ports.grpc}")
    try:
        act(Tenant(node, key_of(name)))
    finally:
        node.close()


def _say(output: str, told: dict[str, Any], sentence: str) -> None:
    click.echo(json.dumps({"simulator": True} | told) if output == "json" else f"(simulated) {sentence}")


@tenant.command()
@home_option
@as_option
@output_option
@click.option(
    "--price", type=click.IntRange(1), default=4000, show_default=True, help="At most, uve a block."
)
@click.option("--cpu", type=click.IntRange(10), default=1000, show_default=True, help="Millicores.")
@click.option("--memory", type=click.IntRange(1), default=1024, show_default=True, help="MB.")
@click.option("--storage", type=click.IntRange(5), default=1024, show_default=True, help="MB.")
@click.option("--billing", type=click.Choice(["lease", "usage"]), default="lease", show_default=True)
@click.option("--deposit", type=click.IntRange(500_000), default=DEPOSIT_UVE, show_default=True, help="uve.")
def order(home: Path | None, name: str, output: str, billing: str, **wanted: int) -> None:
    """Post an order, in a deployment of its own."""
    wish = OrderRequest(
        Decimal(wanted["price"]),
        wanted["cpu"],
        wanted["memory"],
        wanted["storage"],
        (("billing", "usage"),) if billing == "usage" else (),
        wanted["deposit"],
    )

    def act(tenant: Tenant) -> None:
        (made,) = tenant.order(wish)
        _say(output, {"order": show(made), "dseq": made.dseq}, f"posted order {show(made)}")

    _acting(home, name, act)


@tenant.command()
@click.argument("dseq", type=int)
@home_option
@as_option
@output_option
@click.option("--provider", default="", help="Whose bid (address); else the cheapest.")
def accept(dseq: int, home: Path | None, name: str, output: str, provider: str) -> None:
    """Accept a bid on the order of deployment DSEQ, which makes a lease."""

    def act(tenant: Tenant) -> None:
        bid = tenant.trade(dseq).best(provider)
        tenant.accept(bid)
        lease = f"{show(bid)}/{bid.provider}"
        _say(output, {"lease": lease, "provider": bid.provider}, f"made lease {lease}")

    _acting(home, name, act)


@tenant.command()
@click.argument("dseq", type=int)
@home_option
@as_option
@output_option
def close(dseq: int, home: Path | None, name: str, output: str) -> None:
    """Close deployment DSEQ, and with it its lease."""

    def act(tenant: Tenant) -> None:
        landed = tenant.close(tenant.trade(dseq).number)
        _say(output, {"dseq": dseq, "height": landed.height}, f"closed deployment {dseq}")

    _acting(home, name, act)


@tenant.command()
@click.argument("dseq", type=int)
@click.argument("amount", type=click.IntRange(1))
@home_option
@as_option
@output_option
def deposit(dseq: int, amount: int, home: Path | None, name: str, output: str) -> None:
    """Put AMOUNT uve more into the escrow of deployment DSEQ."""

    def act(tenant: Tenant) -> None:
        tenant.deposit(tenant.trade(dseq).number, amount)
        _say(output, {"dseq": dseq, "deposited_uve": amount}, f"put {amount}uve into deployment {dseq}")

    _acting(home, name, act)


@tenant.command()
@click.argument("dseq", type=int)
@home_option
@as_option
@output_option
@click.option("--amount", type=click.IntRange(1), default=ESCROW_UVE, show_default=True, help="uve.")
@click.option("--seconds", type=click.IntRange(3600, 31_536_000), default=ESCROW_SECONDS, show_default=True)
def escrow(dseq: int, home: Path | None, name: str, output: str, amount: int, seconds: int) -> None:
    """Make a settlement escrow for the order of deployment DSEQ and activate it for its lease's provider."""

    def act(tenant: Tenant) -> None:
        lease = tenant.trade(dseq).leased()
        made = tenant.escrow(lease, amount, seconds)
        told = {"escrow": made, "order": show(lease), "amount_uve": amount}
        _say(output, told, f"{made} holds {amount}uve for usage of order {show(lease)}, and is active")

    _acting(home, name, act)


@tenant.command("list")
@home_option
@as_option
@output_option
def list_trades(home: Path | None, name: str, output: str) -> None:
    """List the tenant's deployments with their orders, bids and leases."""

    def act(tenant: Tenant) -> None:
        trades = tenant.trades()
        if output == "json":
            _say(
                output,
                {"tenant": tenant.address, "deployments": [_fields(t, tenant.node) for t in trades]},
                "",
            )
            return
        _say(output, {}, f"{name} ({tenant.address}) has {len(trades)} deployments")
        for trade in trades:
            click.echo(_line(trade, tenant.node))

    _acting(home, name, act)


def _fields(trade: Trade, node: TenantNode) -> dict[str, Any]:
    return {
        "dseq": trade.number,
        "state": trade.state,
        "order": show(trade.order),
        "order_state": trade.order_state,
        "bids": [
            {"provider": o.id.provider, "price_uve": plain(o.price), "state": o.state} for o in trade.offers
        ],
        "lease": f"{show(trade.order)}/{trade.lease.provider}" if trade.lease else None,
        "lease_state": trade.lease_state or None,
        "funds_uve": plain(trade.funds),
        "escrow_state": escrow_state(node, trade.order) or None,
    }


def _line(trade: Trade, node: TenantNode) -> str:
    bids = ", ".join(f"{show_rate(o.price)} {o.state}" for o in trade.offers) or "none"
    lease = f"{trade.lease_state} with {trade.lease.provider}" if trade.lease else "none"
    found = escrow_state(node, trade.order)
    escrow = f"; settlement escrow {found}" if found else ""
    return (
        f"{trade.number}  {trade.state}, order {trade.order_state}; bids: {bids}; lease: {lease}; "
        f"{show_rate(trade.funds)} left{escrow}"
    )
