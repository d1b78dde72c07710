"""The whole market, read at one height."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from reconciler.chain.deployments import (
    ORDER_BYTES_MAX,
    ORDERS_MAX,
    read_accounts,
    read_deployments,
    resolve_lease,
    resolve_order,
)
from reconciler.chain.node_errors import ListTooLongError, NodeError
from reconciler.chain.proto import (
    cosmos_node_pb2,
    market_v1beta5_pb2,
    provider_v1beta4_pb2,
    settlement_v1_pb2,
    take_v1_pb2,
)
from reconciler.chain.queries import MARKET, PROVIDER_BY_OWNER, SETTLEMENT, Queries
from reconciler.chain.settlement_view import read_sides, usage_orders
from reconciler.chain.stubs import unary
from reconciler.chain.wire_market import bid_of, lease_of, order_id_of
from reconciler.chain.wire_values import attributes_of, text_of, whole_uve
from reconciler.values.ids import BidId, LeaseId, OrderId
from reconciler.values.money import DENOM
from reconciler.values.observed import Bid, ChainParams, Lease, Market, Order, ProviderRecord, State, Wallet
from reconciler.values.resources import Attribute

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReadContext:
    """The block of a view: its time in unix seconds, and the measured seconds between blocks; `closed_orders`
    are open orders of closed deployments that the last full view saw; each full view renews them.
    """

    chain_id: str
    height: int
    time: int
    block_seconds: Decimal
    closed_orders: set[OrderId] = field(default_factory=set)


def read_market(queries: Queries, address: str, known: Collection[LeaseId], context: ReadContext) -> Market:
    """All open orders but those of closed deployments, and all objects of our account; NodeError if any part
    is unavailable.
    """
    open_orders, closed, is_cut = read_orders(queries, context.closed_orders)
    bare = read_leases(queries, address, known)
    of_leases = {lease.deployment for lease in bare}
    try:
        deployments = read_deployments(queries, of_leases, {order.deployment for order in open_orders})
    except ListTooLongError as error:
        log.warning("ignoring all orders, as the states of deployments are unknown: %s", error)
        deployments = {each: wire for each in of_leases if (wire := queries.deployment(each)) is not None}
        open_orders, is_cut = {}, True
    resolved = {order: resolve_order(wire, deployments) for order, wire in open_orders.items()}
    orders = {each: order for each, order in resolved.items() if not order.is_closed}
    context.closed_orders.clear()
    context.closed_orders.update(closed, resolved.keys() - orders.keys())
    leases = {each.id: resolve_lease(each, deployments) for each in bare.values()}
    return Market(
        chain_id=context.chain_id,
        height=context.height,
        time=context.time,
        block_seconds=context.block_seconds,
        rules=read_rules(queries),
        wallet=read_wallet(queries, address),
        provider=read_provider(queries, address),
        orders=orders,
        orders_cut=is_cut,
        bids=read_bids(queries, address, orders),
        leases=leases,
        accounts=read_accounts(queries, leases.values(), deployments),
        settlements=read_sides(queries, sorted(usage_orders(leases.values()))),
    )


def read_orders(
    queries: Queries, closed: Collection[OrderId] = ()
) -> tuple[dict[OrderId, market_v1beta5_pb2.Order], set[OrderId], bool]:
    """The open orders without those known as closed, which of these are listed, and whether some orders were
    omitted, which only means that they get no bid.
    """
    orders: dict[OrderId, market_v1beta5_pb2.Order] = {}
    listed: set[OrderId] = set()
    is_cut = False
    try:
        for wire in queries.open_orders():
            if (order := order_id_of(wire.id)) in closed:
                listed.add(order)
                continue
            if len(orders) >= ORDERS_MAX:
                return orders, listed, True
            if wire.ByteSize() <= ORDER_BYTES_MAX:
                orders[order] = wire
            else:
                is_cut = True
    except ListTooLongError as error:
        log.warning("omitting open orders: %s", error)
        return orders, listed, True
    return orders, listed, is_cut


def read_leases(queries: Queries, address: str, known: Collection[LeaseId]) -> dict[LeaseId, Lease]:
    """Our active leases, and the known ones that are no longer active."""
    active = [lease_of(wire) for wire in queries.active_leases(address)]
    leases = {lease.id: lease for lease in active}
    for lease in known:
        if lease not in leases and (wire := queries.lease(lease)) is not None:
            leases[lease] = lease_of(wire)
    return leases


def read_bids(queries: Queries, address: str, orders: dict[OrderId, Order]) -> dict[BidId, Bid]:
    """Our open and active bids; an open one with its order, even if that is no longer open."""
    bids = {bid.id: bid for state in ("open", "active") for bid in map(bid_of, queries.bids(address, state))}
    return {each.id: with_order(queries, each, orders) for each in bids.values()}


def with_order(queries: Queries, bid: Bid, orders: Mapping[OrderId, Order]) -> Bid:
    """An open bid with its order, which may no longer be open; an active bid needs none."""
    if bid.state is not State.OPEN:
        return bid
    if (known := orders.get(bid.id.order)) is not None:
        return replace(bid, order=known)
    wire = queries.order(bid.id.order)
    if wire is None:
        return replace(bid, order=None)
    deployments = read_deployments(queries, {bid.id.deployment}, set())
    return replace(bid, order=resolve_order(wire, deployments))


def read_wallet(queries: Queries, address: str) -> Wallet:
    """Our account; number and sequence are 0 if it is not on the chain yet."""
    account = queries.account(address)
    if account is None:
        return Wallet(address, number=0, sequence=0, balance=0)
    return Wallet(address, account.account_number, account.sequence, queries.balance(address))


def read_provider(queries: Queries, address: str) -> ProviderRecord | None:
    """Our provider record with audited attributes; None if the chain has none (semantics 1.5)."""
    request = provider_v1beta4_pb2.QueryProviderRequest(owner=address)
    found = queries.find(PROVIDER_BY_OWNER, request)
    if found is None:
        return None
    audited: dict[str, frozenset[Attribute]] = {}
    for each in queries.audited(address):
        auditor = text_of(each.auditor)
        audited[auditor] = audited.get(auditor, frozenset()) | set(attributes_of(each.attributes))
    wire = found.provider
    return ProviderRecord(
        text_of(wire.owner), text_of(wire.host_uri), attributes_of(wire.attributes), audited
    )


MARKET_PARAMS = unary(MARKET, market_v1beta5_pb2.QueryParamsRequest, market_v1beta5_pb2.QueryParamsResponse)
TAKE_PARAMS = unary(
    "virtengine.take.v1.Query", take_v1_pb2.QueryParamsRequest, take_v1_pb2.QueryParamsResponse
)
SETTLEMENT_PARAMS = unary(
    SETTLEMENT, settlement_v1_pb2.QueryParamsRequest, settlement_v1_pb2.QueryParamsResponse
)
NODE_CONFIG = unary(
    "cosmos.base.node.v1beta1.Service", cosmos_node_pb2.ConfigRequest, cosmos_node_pb2.ConfigResponse
)

_GAS_PRICE = re.compile(r"(\d{1,30}(?:\.\d{1,18})?)" + DENOM)


def read_rules(queries: Queries) -> ChainParams:
    """The chain's parameters about money; the gas price is the node's minimum (semantics 1.3)."""
    market = queries.call(MARKET_PARAMS, market_v1beta5_pb2.QueryParamsRequest()).params
    take = queries.call(TAKE_PARAMS, take_v1_pb2.QueryParamsRequest()).params
    settlement = queries.call(SETTLEMENT_PARAMS, settlement_v1_pb2.QueryParamsRequest()).params
    config = queries.call(NODE_CONFIG, cosmos_node_pb2.ConfigRequest())
    rates = {each.denom: each.rate for each in take.denom_take_rates}
    fees = Decimal(settlement.platform_fee_rate or "0") + Decimal(settlement.validator_fee_rate or "0")
    rules = ChainParams(
        bid_deposit=whole_uve([market.bid_min_deposit]),
        order_max_bids=market.order_max_bids,
        take_percent=rates.get(DENOM, take.default_take_rate),
        gas_price=gas_price_in(config.minimum_gas_price),
        settlement_fee_percent=fees * 100,
        settlement_period_seconds=settlement.settlement_period,
    )
    percents = (Decimal(rules.take_percent), rules.settlement_fee_percent)
    if rules.bid_deposit < 0 or not all(0 <= each < 100 for each in percents):
        raise NodeError(f"the node returned impossible parameters: {rules}")
    return rules


def gas_price_in(text: str) -> Decimal:
    """The uve in `0.025000000000000000uve`; 0 for an empty text."""
    if not text:
        return Decimal(0)
    for part in text.split(","):
        if found := _GAS_PRICE.fullmatch(part.strip()):
            return Decimal(found[1]).normalize()
    raise NodeError(f"the node accepts fees only in {text}, not in {DENOM}")
