"""The market's queries (semantics 2.2)."""

from __future__ import annotations

from typing import Protocol

from reconciler.chain.proto import market_v1beta5_pb2 as v1beta5
from reconciler.chain.proto.market_v1_pb2 import Lease
from reconciler.chain.proto.market_v1beta5_pb2 import Bid, Order
from reconciler.devnet.chain import escrow_records, keys, market
from reconciler.devnet.chain.addresses import AddressError, raw
from reconciler.devnet.chain.errors import TxRefusedError, internal, invalid_argument, not_found
from reconciler.devnet.chain.keys import BidLike
from reconciler.devnet.chain.paging import PagedList, check_offset
from reconciler.devnet.chain.store import View
from reconciler.devnet.chain.tables import (
    BIDS,
    BIDS_BY_PROVIDER,
    LEASES,
    LEASES_BY_PROVIDER,
    ORDERS,
    PARAMS,
)

_ORDERS, _BIDS, _LEASES = 0x11, 0x12, 0x13
_ORDER_STATES = (Order.open, Order.active, Order.closed)
_BID_STATES = (Bid.open, Bid.active, Bid.lost, Bid.closed)
_LEASE_STATES = (Lease.active, Lease.insufficient_funds, Lease.closed)


class _Filters(BidLike, Protocol):
    @property
    def state(self) -> str: ...


def orders(view: View, request: v1beta5.QueryOrdersRequest) -> v1beta5.QueryOrdersResponse:
    """Orders by filter."""
    check_offset(request.pagination, request.filters.state)
    filters = v1beta5.BidFilters(
        owner=request.filters.owner,
        dseq=request.filters.dseq,
        gseq=request.filters.gseq,
        oseq=request.filters.oseq,
        state=request.filters.state,
    )
    states = _states(filters.state, dict(v1beta5.Order.State.items()), _ORDER_STATES)
    check_addresses(filters)

    def accepts(order: Order) -> bool:
        id_ = order.id
        return (
            filters.owner in ("", id_.owner)
            and filters.dseq in (0, id_.dseq)
            and filters.gseq in (0, id_.gseq)
            and filters.oseq in (0, id_.oseq)
        )

    listing = PagedList(ORDERS, states, lambda s: keys.filtered(_ORDERS, s, filters), accepts)
    rows, page = listing.page(view, request.pagination)
    return v1beta5.QueryOrdersResponse(orders=rows, pagination=page)


def bids(view: View, request: v1beta5.QueryBidsRequest) -> v1beta5.QueryBidsResponse:
    """Bids by filter, each with its escrow account; by provider and state only while open or active."""
    filters = request.filters
    check_offset(request.pagination, filters.state)
    states = _states(filters.state, dict(v1beta5.Bid.State.items()), _BID_STATES)
    check_addresses(filters)
    reverse = _by_provider(filters)
    listing = PagedList(
        BIDS_BY_PROVIDER if reverse else BIDS,
        states,
        lambda s: _prefix(_BIDS, s, filters, reverse=reverse),
        lambda bid: _accepts(filters, bid.id),
        reverse,
    )
    rows, page = listing.page(view, request.pagination)
    return v1beta5.QueryBidsResponse(bids=[_with_account(view, bid) for bid in rows], pagination=page)


def leases(view: View, request: v1beta5.QueryLeasesRequest) -> v1beta5.QueryLeasesResponse:
    """Leases by filter, each with its payment; by provider and state only while active."""
    filters = request.filters
    check_offset(request.pagination, filters.state)
    states = _states(filters.state, dict(Lease.State.items()), _LEASE_STATES)
    check_addresses(filters)
    reverse = _by_provider(filters)
    listing = PagedList(
        LEASES_BY_PROVIDER if reverse else LEASES,
        states,
        lambda s: _prefix(_LEASES, s, filters, reverse=reverse),
        lambda lease: _accepts(filters, lease.id),
        reverse,
    )
    rows, page = listing.page(view, request.pagination)
    found = [_with_payment(view, lease) for lease in rows]
    return v1beta5.QueryLeasesResponse(leases=found, pagination=page)


def order(view: View, request: v1beta5.QueryOrderRequest) -> v1beta5.QueryOrderResponse:
    """One order."""
    check_owner(request.id.owner)
    found = market.read_order(view, request.id)
    if found is None:
        raise not_found("market", 15, "invalid order: order not found")
    return v1beta5.QueryOrderResponse(order=found)


def bid(view: View, request: v1beta5.QueryBidRequest) -> v1beta5.QueryBidResponse:
    """One bid."""
    check_owner(request.id.owner)
    _check_provider(request.id.provider)
    found = market.read_bid(view, request.id)
    if found is None:
        raise not_found("market", 18, "invalid bid: bid not found")
    return _with_account(view, found)


def lease(view: View, request: v1beta5.QueryLeaseRequest) -> v1beta5.QueryLeaseResponse:
    """One lease."""
    check_owner(request.id.owner)
    _check_provider(request.id.provider)
    found = market.read_lease(view, request.id)
    if found is None:
        raise not_found("market", 20, "invalid lease: lease not found")
    return _with_payment(view, found)


def params(view: View, request: v1beta5.QueryParamsRequest) -> v1beta5.QueryParamsResponse:
    """The parameters."""
    del request
    stored = view.get(PARAMS, b"market") or b""
    return v1beta5.QueryParamsResponse(params=v1beta5.Params.FromString(stored))


def check_owner(owner: str) -> None:
    """A by-id query refuses a malformed owner."""
    try:
        raw(owner)
    except AddressError as error:
        raise invalid_argument("invalid owner address") from error


def check_addresses(filters: BidLike) -> None:
    """A filter's malformed address fails inside the querier."""
    for address in (filters.owner, filters.provider):
        if address:
            try:
                raw(address)
            except AddressError as error:
                raise internal(str(error)) from error


def _check_provider(provider: str) -> None:
    try:
        raw(provider)
    except AddressError as error:
        raise invalid_argument("invalid provider address") from error


def _states(name: str, known: dict[str, int], every: tuple[int, ...]) -> tuple[int, ...]:
    if not name:
        return every
    if not known.get(name):
        raise invalid_argument("invalid state value")
    return (known[name],)


def _by_provider(filters: _Filters) -> bool:
    return bool(filters.state and filters.provider and not filters.owner)


def _prefix(kind: int, state: int, filters: BidLike, *, reverse: bool) -> bytes:
    if not reverse:
        return keys.filtered(kind, state, filters)
    return bytes([kind, 1, state]) + keys.account(filters.provider)


def _accepts(filters: BidLike, id_: BidLike) -> bool:
    return (
        filters.owner in ("", id_.owner)
        and filters.dseq in (0, id_.dseq)
        and filters.gseq in (0, id_.gseq)
        and filters.oseq in (0, id_.oseq)
        and filters.provider in ("", id_.provider)
    )


def _with_account(view: View, found: Bid) -> v1beta5.QueryBidResponse:
    account = escrow_records.read_account(view, market.bid_account(found.id))
    if account is None:
        raise TxRefusedError("escrow", 3, "account not found")
    return v1beta5.QueryBidResponse(bid=found, escrow_account=account)


def _with_payment(view: View, found: Lease) -> v1beta5.QueryLeaseResponse:
    payment = escrow_records.read_payment(view, market.lease_payment(found.id))
    if payment is None:
        raise TxRefusedError("escrow", 8, "payment not found")
    return v1beta5.QueryLeaseResponse(lease=found, escrow_payment=payment)
