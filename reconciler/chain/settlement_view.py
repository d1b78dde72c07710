"""Settlement escrows and usage records of our orders (semantics 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.chain.block_changes import BlockChanges
from reconciler.chain.proto import settlement_v1_pb2
from reconciler.chain.queries import ESCROW_BY_ID, ESCROWS, USAGE, USAGE_BY_ID, Queries
from reconciler.chain.wire_values import other_denoms, text_of, whole_uve
from reconciler.values.ids import OrderId
from reconciler.values.observed import Lease, OrderSettlement, SettlementEscrow, State, UsageRecord

Sides = Mapping[OrderId, OrderSettlement]

UNENDED = frozenset({State.PENDING, State.ACTIVE, State.DISPUTED})


def read_sides(queries: Queries, orders: Iterable[OrderId]) -> dict[OrderId, OrderSettlement]:
    """Two queries per order: these lists support neither pagination nor a provider filter."""
    return {order: _read_side(queries, order) for order in orders}


def usage_orders(leases: Iterable[Lease]) -> set[OrderId]:
    """Orders that may have a settlement escrow for our account."""
    return {lease.id.order for lease in leases if lease.usage_billed}


def stale_orders(queries: Queries, sides: Sides, changes: BlockChanges, time: int) -> set[OrderId]:
    """Orders to query again: named by a message, or settled or expired by the chain itself."""
    if not sides:
        return set()
    named = set(changes.settlement_orders)
    by_escrow = {side.escrow.id: order for order, side in sides.items() if side.escrow}
    by_record = {record.id: order for order, side in sides.items() for record in side.records}
    for escrow in changes.settlement_escrows:
        named.add(str(by_escrow.get(escrow) or _order_of_escrow(queries, escrow)))
    for usage in changes.usage:
        named.add(str(by_record.get(usage) or _order_of_usage(queries, usage)))
    return {
        order
        for order, side in sides.items()
        if str(order) in named or _expired(side, time) or (changes.all_settlements and _unsettled(side))
    }


def _read_side(queries: Queries, order: OrderId) -> OrderSettlement:
    escrows = queries.call(ESCROWS, settlement_v1_pb2.QueryEscrowsByOrderRequest(order_id=str(order))).escrows
    if not escrows:
        return OrderSettlement(None)
    values = [escrow_of(each) for each in escrows]
    chosen = next((each for each in values if each.state is State.ACTIVE), values[-1])
    request = settlement_v1_pb2.QueryUsageRecordsByOrderRequest(order_id=str(order))
    return OrderSettlement(chosen, records_of(queries.call(USAGE, request).usage_records))


def _order_of_escrow(queries: Queries, escrow: str) -> str:
    request = settlement_v1_pb2.QueryEscrowRequest(escrow_id=escrow)
    return queries.call(ESCROW_BY_ID, request).escrow.order_id


def _order_of_usage(queries: Queries, usage: str) -> str:
    request = settlement_v1_pb2.QueryUsageRecordRequest(usage_id=usage)
    return queries.call(USAGE_BY_ID, request).usage_record.order_id


def _expired(side: OrderSettlement, time: int) -> bool:
    return side.escrow is not None and side.escrow.state in UNENDED and side.escrow.expires_at <= time


def _unsettled(side: OrderSettlement) -> bool:
    return any(not record.settled for record in side.records)


def escrow_of(wire: settlement_v1_pb2.EscrowAccount) -> SettlementEscrow:
    """A settlement escrow."""
    return SettlementEscrow(
        id=text_of(wire.escrow_id),
        order=text_of(wire.order_id),
        lease=text_of(wire.lease_id),
        depositor=text_of(wire.depositor),
        recipient=text_of(wire.recipient),
        state=State(wire.state),
        balance=whole_uve(wire.balance),
        expires_at=wire.expires_at,
        activated_at=wire.activated_at,
        other_denoms=other_denoms(wire.balance),
    )


def records_of(wire: Iterable[settlement_v1_pb2.UsageRecord]) -> tuple[UsageRecord, ...]:
    """Usage records, each once: the chain lists a record again for each of its changes (semantics 5.4)."""
    last = {text_of(each.usage_id): each for each in wire}
    return tuple(_record_of(each) for each in last.values())


def _record_of(wire: settlement_v1_pb2.UsageRecord) -> UsageRecord:
    return UsageRecord(
        id=text_of(wire.usage_id),
        lease=text_of(wire.lease_id),
        type=text_of(wire.usage_type),
        period_start=wire.period_start,
        period_end=wire.period_end,
        cost=whole_uve(wire.total_cost),
        signature=wire.provider_signature,
        settled=wire.settled,
        acknowledged=wire.customer_acknowledged,
    )
