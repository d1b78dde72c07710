"""Settlement escrows and usage records, between the wire and values (semantics 5)."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.chain.proto import settlement_v1_pb2
from reconciler.chain.wire_amounts import whole_uve
from reconciler.chain.wire_text import text_of
from reconciler.values.observed import SettlementEscrow, State, UsageRecord


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
    )


def records_of(wire: Iterable[settlement_v1_pb2.UsageRecord]) -> tuple[UsageRecord, ...]:
    """Usage records, each once: the chain lists one again for every time it is touched (semantics 5.4)."""
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
