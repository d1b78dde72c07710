"""`virtengine query market`, `provider` and `bank`: commands generated from the chain's Query methods.

The fields of a request's `filters` or `id` become flags, a text field becomes the argument, `pagination`
makes the command a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click
from google.protobuf.descriptor import FieldDescriptor

from reconciler.chain.client_json import to_client_json
from reconciler.chain.proto import cosmos_bank_pb2, provider_v1beta4_pb2
from reconciler.chain.queries import (
    BANK,
    BID,
    BIDS,
    LEASE,
    LEASES,
    ORDER,
    ORDERS,
    PROVIDER,
    PROVIDER_BY_OWNER,
)
from reconciler.chain.stubs import Unary, unary
from reconciler.cli.options import options
from reconciler.cli.virtengine.handover import HandoverGroup
from reconciler.cli.virtengine.node import NodeConnection, QueryTarget, target_options
from reconciler.cli.virtengine.output import output_option, print_answer
from reconciler.cli.virtengine.paging import (
    COMPLETE,
    PAGE_ROWS,
    Paging,
    list_rows,
    paging_options,
    print_list,
    rows_field,
)

PROVIDERS = unary(
    PROVIDER, provider_v1beta4_pb2.QueryProvidersRequest, provider_v1beta4_pb2.QueryProvidersResponse
)
BALANCES = unary(BANK, cosmos_bank_pb2.QueryAllBalancesRequest, cosmos_bank_pb2.QueryAllBalancesResponse)

Method = Unary[Any, Any]
Option = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Query:
    """A method as a command: its names, its help, and what its descriptor does not say.

    `complete`: the command has no paging flags and prints every row. `by_provider`: the states that the chain
    lists by provider; for others it returns no rows and no error (semantics 2.2 B).
    """

    method: Method
    names: str
    help: str
    complete: bool = False
    by_provider: tuple[str, ...] = ()


QUERIES = (
    Query(ORDERS, "market orders, market order list", "List orders."),
    Query(
        BIDS,
        "market bids, market bid list",
        "List bids, each with the account that holds its deposit.",
        by_provider=("open", "active"),
    ),
    Query(
        LEASES,
        "market leases, market lease list",
        "List leases, each with the payment that it earns.",
        by_provider=("active",),
    ),
    Query(ORDER, "market order get", "Show an order."),
    Query(BID, "market bid get", "Show a bid, with the account that holds its deposit."),
    Query(LEASE, "market lease get", "Show a lease, with the payment that it earns."),
    Query(PROVIDERS, "provider list", "List every provider's record."),
    Query(PROVIDER_BY_OWNER, "provider get", "Show the record of the provider at ADDRESS."),
    Query(BALANCES, "bank balances", "Show every balance of the account at ADDRESS.", complete=True),
)
_BY_PROVIDER = {query.method.path: query.by_provider for query in QUERIES}

GROUPS = {
    "market": "Orders, bids and leases: `leases`, or as the chain's client names it, `lease list|get`.",
    "market order": "List orders, or show one.",
    "market bid": "List bids, or show one.",
    "market lease": "List leases, or show one.",
    "provider": "Records of providers.",
    "bank": "Balances.",
}

_ANY = {"default": 0, "help": "Left out or 0: any."}
_FIRST = {"default": 1, "show_default": True}
_ADDRESSES = {"owner": "The tenant's address.", "provider": "The provider's address."}
_NUMBER_MAX = {FieldDescriptor.TYPE_UINT32: 2**32 - 1, FieldDescriptor.TYPE_UINT64: 2**64 - 1}


reverse_option = click.option("--reverse", is_flag=True, help="Reverse the rows of each state.")


def states(method: Method) -> dict[int, str]:
    """The states of a list's rows by number, in the chain's order."""
    row: Any = rows_field(method).message_type
    if "state" not in row.fields_by_name:  # a bid or lease, with its account or payment
        row = row.fields[0].message_type
    return {each.number: each.name for each in row.fields_by_name["state"].enum_type.values if each.number}


def market_rows(
    node: NodeConnection, method: Method, filters: Mapping[str, Any], paging: Paging = COMPLETE
) -> Iterator[Any]:
    """Every order, bid or lease that fits, by state and then by id.

    Each state is requested by itself (semantics 2.2 A). States that the chain does not list by provider are
    picked from all of the provider's rows (semantics 2.2 B). The node is pinned to a height, or rows that
    change state may be missed.
    """
    state = filters.get("state") or ""
    names = states(method)
    parts = (state,) if state else tuple(names.values())
    if filters.get("provider") and not filters.get("owner") and state not in _BY_PROVIDER[method.path]:
        parts = ("",)
    for part in parts:
        size = PAGE_ROWS if state and not part else paging.page_rows
        fields = {"filters": {**filters, "state": part}}
        for row in list_rows(node, method, fields, size, reverse=paging.reverse):
            found = row if hasattr(row, "state") else getattr(row, row.DESCRIPTOR.fields[0].name)
            if state in ("", names[found.state]):
                yield row


def _request_options(method: Method) -> Iterator[Option]:
    """The flags and the argument of a method's request."""
    for field in method.request.DESCRIPTOR.fields:
        if field.name in ("filters", "id"):
            yield from (_flag(each, method) for each in field.message_type.fields if each.name != "bseq")
        elif field.type == FieldDescriptor.TYPE_STRING:
            yield click.argument(field.name, metavar="ADDRESS")


def _flag(field: FieldDescriptor, method: Method) -> Option:
    """A field of `filters`, which may be left out, or of `id`, where only gseq and oseq may be."""
    flag, is_id = f"--{field.name}", "id" in method.request.DESCRIPTOR.fields_by_name
    if field.name == "state":
        return click.option(
            flag, type=click.Choice([*states(method).values()]), help="Only this state; default: any."
        )
    default: dict[str, Any]
    if most := _NUMBER_MAX.get(field.type):
        default = _ANY
        if is_id:
            default = {"required": True} if field.name == "dseq" else _FIRST
        return click.option(flag, type=click.IntRange(int(is_id), most), **default)
    return click.option(
        flag, **({"required": True} if is_id else {"default": ""}), help=_ADDRESSES[field.name]
    )


def _list(query: Query, flags: dict[str, Any]) -> None:
    def find(node: NodeConnection, filters: dict[str, Any], paging: Paging) -> Iterator[Any]:
        if "filters" in query.method.request.DESCRIPTOR.fields_by_name:
            return market_rows(node, query.method, filters, paging)
        return list_rows(node, query.method, filters, paging.page_rows, reverse=paging.reverse)

    print_list(rows_field(query.method).name, flags, find)


def _show_all(query: Query, flags: dict[str, Any]) -> None:
    """Print a list without paging flags."""
    target, output, name = QueryTarget.from_flags(flags), flags.pop("output"), rows_field(query.method).name
    with target.connect(f"{name} of {', '.join(flags.values())}") as connection:
        rows = [to_client_json(row) for row in list_rows(connection.pinned(), query.method, flags, PAGE_ROWS)]
    print_answer({name: rows, "pagination": {}}, output)


def _show(query: Query, flags: dict[str, Any]) -> None:
    """Print the object that a response holds, or the whole response if that holds several."""
    target, output, method = QueryTarget.from_flags(flags), flags.pop("output"), query.method
    first, *others = method.response.DESCRIPTOR.fields
    has_id = "id" in method.request.DESCRIPTOR.fields_by_name
    request = method.request(**({"id": flags} if has_id else flags))
    key = request.id if has_id else request
    subject = "/".join(
        str(getattr(key, field.name)) for field in key.DESCRIPTOR.fields if field.name in flags
    )
    with target.connect(f"{first.name} {subject}") as node:
        response = node.query(method, request)
    print_answer(to_client_json(response if others else getattr(response, first.name)), output)


def _command(query: Query) -> click.Command:
    decorators = [*_request_options(query.method), output_option, target_options]
    run = _show
    if query.complete:
        run = _show_all
    elif "pagination" in query.method.request.DESCRIPTOR.fields_by_name:
        run = _list
        decorators += [paging_options, reverse_option]
    return click.command(help=query.help)(options(*decorators)(lambda **flags: run(query, flags)))


def _groups() -> Mapping[str, click.Group]:
    groups: dict[str, click.Group] = {"": click.Group()}
    for path, text in GROUPS.items():
        parent, _, name = path.rpartition(" ")
        groups[path] = HandoverGroup(name, help=text)
        groups[parent].add_command(groups[path])
    for query in QUERIES:
        command = _command(query)
        for path in query.names.split(", "):
            parent, _, name = path.rpartition(" ")
            groups[parent].add_command(command, name)
    return groups


market, provider, bank = (_groups()[name] for name in ("market", "provider", "bank"))
