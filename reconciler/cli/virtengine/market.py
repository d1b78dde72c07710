"""`virtengine query market`: orders, bids and leases by filter or by id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from google.protobuf.message import Message

from reconciler.chain import queries
from reconciler.chain.client_json import printed
from reconciler.chain.proto import market_v1beta5_pb2
from reconciler.chain.wire_market import bid_id_to, lease_id_to, order_id_to
from reconciler.cli.virtengine.handover import Handing
from reconciler.cli.virtengine.lists import Paging, cut, paging_options, reverse_option
from reconciler.cli.virtengine.node import NodeConnection, QueryTarget, output_option, where_options
from reconciler.cli.virtengine.output import say
from reconciler.cli.virtengine.rows import BIDS, LEASES, ORDERS, Filters, RowKind, rows
from reconciler.values.ids import LeaseId, OrderId

UINT32_MAX, UINT64_MAX = 2**32 - 1, 2**64 - 1
Command = TypeVar("Command", bound=Callable[..., Any])


@click.group(cls=Handing)
def market() -> None:
    """Orders, bids and leases: `leases`, or as the chain's client says it, `lease list|get`."""


@market.group(cls=Handing)
def order() -> None:
    """Orders, listed or one of them."""


@market.group(cls=Handing)
def bid() -> None:
    """Bids, listed or one of them."""


@market.group(cls=Handing)
def lease() -> None:
    """Leases, listed or one of them."""


def _filters(kind: RowKind) -> Callable[[Command], Command]:
    """The flags of a list. Its numbers left out mean any; the chain's client takes --gseq and --oseq as 1."""

    def take(command: Command) -> Command:
        options = [where_options, output_option, reverse_option, paging_options]
        options.append(click.option("--state", type=click.Choice(kind.states), help="Left out: any."))
        if kind is not ORDERS:
            options.append(click.option("--provider", default="", help="The provider's address."))
        for name, most in (("oseq", UINT32_MAX), ("gseq", UINT32_MAX), ("dseq", UINT64_MAX)):
            number = click.option(
                f"--{name}", type=click.IntRange(0, most), default=0, help="Left out or 0: any."
            )
            options.append(number)
        options.append(click.option("--owner", default="", help="The tenant's address."))
        for option in options:
            command = option(command)
        return command

    return take


def _id(command: Command) -> Command:
    """The flags of an order's id."""
    number = click.IntRange(1, UINT32_MAX)
    for option in (
        where_options,
        output_option,
        click.option("--oseq", type=number, default=1, show_default=True),
        click.option("--gseq", type=number, default=1, show_default=True),
        click.option("--dseq", type=click.IntRange(1, UINT64_MAX), required=True),
        click.option("--owner", required=True, help="The tenant's address."),
    ):
        command = option(command)
    return command


provider_option = click.option("--provider", required=True, help="The provider's address.")


@market.command()
@_filters(ORDERS)
def orders(**flags: Any) -> None:
    """List orders."""
    _list(ORDERS, flags)


@market.command()
@_filters(BIDS)
def bids(**flags: Any) -> None:
    """List bids, each with the account that holds its deposit."""
    _list(BIDS, flags)


@market.command()
@_filters(LEASES)
def leases(**flags: Any) -> None:
    """List leases, each with the payment that it earns."""
    _list(LEASES, flags)


order.add_command(orders, "list")
bid.add_command(bids, "list")
lease.add_command(leases, "list")


@order.command("get")
@_id
def get_order(**flags: Any) -> None:
    """Show one order."""
    id_ = _order_id(flags)
    request = market_v1beta5_pb2.QueryOrderRequest(id=order_id_to(id_))
    _get(f"order {id_}", flags, lambda node: node.ask(queries.ORDER, request).order)


@bid.command("get")
@provider_option
@_id
def get_bid(provider: str, **flags: Any) -> None:
    """Show one bid, with the account that holds its deposit."""
    id_ = LeaseId(_order_id(flags), provider)
    request = market_v1beta5_pb2.QueryBidRequest(id=bid_id_to(id_))
    _get(f"bid {id_}", flags, lambda node: node.ask(queries.BID, request))


@lease.command("get")
@provider_option
@_id
def get_lease(provider: str, **flags: Any) -> None:
    """Show one lease, with the payment that it earns."""
    id_ = LeaseId(_order_id(flags), provider)
    request = market_v1beta5_pb2.QueryLeaseRequest(id=lease_id_to(id_))
    _get(f"lease {id_}", flags, lambda node: node.ask(queries.LEASE, request))


def _order_id(flags: dict[str, Any]) -> OrderId:
    return OrderId(*(flags.pop(name) for name in ("owner", "dseq", "gseq", "oseq")))


def _list(kind: RowKind, flags: dict[str, Any]) -> None:
    where, paging, output = QueryTarget.taken(flags), Paging.taken(flags), flags.pop("output")
    wanted = Filters(**{**flags, "state": flags["state"] or ""})
    with where.asked(kind.name) as asked:
        node = asked.pinned(paging.height)
        answer = cut(kind.name, rows(kind, node, wanted, paging), paging, node.height)
    say(answer, output)


def _get(about: str, flags: dict[str, Any], ask: Callable[[NodeConnection], Message]) -> None:
    with QueryTarget.taken(flags).asked(about) as node:
        answer = printed(ask(node))
    say(answer, flags["output"])
