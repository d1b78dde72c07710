"""Usage records; duplicates are accepted (semantics 5.3, 5.4)."""

from __future__ import annotations

from reconciler.chain.proto import settlement_v1_pb2 as v1
from reconciler.chain.proto.cosmos_coin_pb2 import Coin, DecCoin
from reconciler.devnet.chain import settlement_gas
from reconciler.devnet.chain import settlement_records as records
from reconciler.devnet.chain.amounts import coins_text, dec, valid_denom, whole
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import PanicError
from reconciler.devnet.chain.settlement_records import refused
from reconciler.devnet.chain.tables import USAGE, USAGE_OF

_MOST_UNITS = 2**63 - 1
_LOOKS = 2
"""The chain reads the escrow twice more before it stores a record, which costs gas."""


def record(call: MessageCall, msg: v1.MsgRecordUsage) -> v1.MsgRecordUsageResponse:
    """Execute a MsgRecordUsage of the recipient of an active escrow."""
    escrow = records.find_by_order(call, msg.order_id)
    if msg.sender != escrow.recipient:
        raise refused(1505, "only the provider can record usage")
    cost = _cost(msg.unit_price, msg.usage_units)
    for _ in range(_LOOKS):
        records.find_by_order(call, msg.order_id)
    if escrow.state != records.ACTIVE:
        raise refused(1519, f"escrow for order {msg.order_id} is not active")
    usage = _made(call, msg)
    usage.customer = escrow.depositor
    usage.total_cost.extend(cost)
    earlier = call.state.peek(USAGE_OF, msg.order_id.encode()) or ()
    for name in earlier:
        call.state.get(USAGE, name.encode())
    records.store_usage(call, usage)
    call.state.meter.write(len(usage.usage_id) + USAGE.size(usage))
    settlement_gas.charge(call.state.meter, settlement_gas.RECORD)
    records.emit_unregistered(call)
    return v1.MsgRecordUsageResponse(
        usage_id=usage.usage_id, total_cost=coins_text(cost), recorded_at=call.time
    )


def acknowledge(call: MessageCall, msg: v1.MsgAcknowledgeUsage) -> v1.MsgAcknowledgeUsageResponse:
    """Execute a MsgAcknowledgeUsage, which emits no event."""
    stored = find(call, msg.usage_id)
    if msg.sender != stored.customer:
        raise refused(1505, "only the customer can acknowledge usage")
    stored.customer_acknowledged, stored.customer_signature = True, msg.signature
    records.store_usage(call, stored)
    settlement_gas.charge(call.state.meter, settlement_gas.ACKNOWLEDGE)
    return v1.MsgAcknowledgeUsageResponse(acknowledged_at=call.time)


def find(call: MessageCall, usage_id: str) -> v1.UsageRecord:
    """A copy of a usage record; `settlement/1513` if there is none."""
    stored = call.state.get(USAGE, usage_id.encode())
    if stored is None:
        raise refused(1513, f"usage record {usage_id} not found")
    usage = v1.UsageRecord()
    usage.CopyFrom(stored)
    return usage


def _made(call: MessageCall, msg: v1.MsgRecordUsage) -> v1.UsageRecord:
    return v1.UsageRecord(
        usage_id=f"usage-{call.time}-{records.number(call, 'usage')}",
        order_id=msg.order_id,
        lease_id=msg.lease_id,
        provider=msg.sender,
        usage_units=msg.usage_units,
        usage_type=msg.usage_type,
        period_start=msg.period_start,
        period_end=msg.period_end,
        unit_price=msg.unit_price,
        provider_signature=msg.signature,
        submitted_at=call.time,
        block_height=call.height,
    )


def _cost(price: DecCoin, units: int) -> list[Coin]:
    """Price times units, truncated; panics where Go's coins do."""
    amount = whole(dec(price.amount) * min(units, _MOST_UNITS))
    if not valid_denom(price.denom):
        raise PanicError(f"invalid denom: {price.denom}")
    if amount < 0:
        raise PanicError(f"negative coin amount: {amount}")
    return records.coins({price.denom: amount})
