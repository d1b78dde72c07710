"""Orders, bids and leases by filter, whole, whatever the chain's lists leave out (semantics 2.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from reconciler.chain import queries
from reconciler.chain.proto import market_v1_pb2, market_v1beta5_pb2
from reconciler.chain.proto.cosmos_paging_pb2 import PageRequest
from reconciler.cli.virtengine.lists import PAGE_ROWS, Page, Paging, pages
from reconciler.cli.virtengine.node import NodeConnection


@dataclass(frozen=True, slots=True)
class Filters:
    """What rows must have; empty or 0: any."""

    owner: str = ""
    dseq: int = 0
    gseq: int = 0
    oseq: int = 0
    provider: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class RowKind:
    """One kind of row: its states in the chain's order, those that it lists by provider, and how it is asked
    for; `state_of` a row is its state's name.
    """

    name: str
    states: tuple[str, ...]
    by_provider: tuple[str, ...]
    page: Callable[[NodeConnection, Filters, PageRequest], Page[Any]]
    state_of: Callable[[Any], str]


def rows(kind: RowKind, node: NodeConnection, wanted: Filters, paging: Paging) -> Iterator[Any]:
    """Every row, by state and then by id; the node is pinned, or rows that change state may be missed."""
    for part in _parts(kind, wanted):
        size = paging.rows_at_once if part == wanted or not wanted.state else PAGE_ROWS
        for row in pages(partial(kind.page, node, part), size, reverse=paging.reverse):
            if wanted.state in ("", kind.state_of(row)):
                yield row


def _parts(kind: RowKind, wanted: Filters) -> tuple[Filters, ...]:
    """What to ask for: state by state (semantics 2.2 A). States that the chain does not list by provider are
    picked from all of the provider's rows: asked for, it shows none, without an error (2.2 B).
    """
    if wanted.provider and not wanted.owner and wanted.state not in kind.by_provider:
        return (replace(wanted, state=""),)
    if wanted.state:
        return (wanted,)
    return tuple(replace(wanted, state=state) for state in kind.states)


def _orders(node: NodeConnection, wanted: Filters, at: PageRequest) -> Page[market_v1beta5_pb2.Order]:
    fields = asdict(wanted)
    del fields["provider"]
    filters = market_v1beta5_pb2.OrderFilters(**fields)
    answer = node.ask(queries.ORDERS, market_v1beta5_pb2.QueryOrdersRequest(filters=filters, pagination=at))
    return answer.orders, answer.pagination.next_key


def _bids(
    node: NodeConnection, wanted: Filters, at: PageRequest
) -> Page[market_v1beta5_pb2.QueryBidResponse]:
    filters = market_v1beta5_pb2.BidFilters(**asdict(wanted))
    answer = node.ask(queries.BIDS, market_v1beta5_pb2.QueryBidsRequest(filters=filters, pagination=at))
    return answer.bids, answer.pagination.next_key


def _leases(
    node: NodeConnection, wanted: Filters, at: PageRequest
) -> Page[market_v1beta5_pb2.QueryLeaseResponse]:
    filters = market_v1_pb2.LeaseFilters(**asdict(wanted))
    answer = node.ask(queries.LEASES, market_v1beta5_pb2.QueryLeasesRequest(filters=filters, pagination=at))
    return answer.leases, answer.pagination.next_key


ORDERS = RowKind(
    "orders",
    ("open", "active", "closed"),
    (),
    _orders,
    lambda row: market_v1beta5_pb2.Order.State.Name(row.state),
)
BIDS = RowKind(
    "bids",
    ("open", "active", "lost", "closed"),
    ("open", "active"),
    _bids,
    lambda row: market_v1beta5_pb2.Bid.State.Name(row.bid.state),
)
LEASES = RowKind(
    "leases",
    ("active", "insufficient_funds", "closed"),
    ("active",),
    _leases,
    lambda row: market_v1_pb2.Lease.State.Name(row.lease.state),
)
