"""The provider's messages as protobuf messages."""

from __future__ import annotations

import json
from decimal import Decimal

from google.protobuf.message import Message as Wire

from reconciler.chain.keys import PrivateKey
from reconciler.chain.proto import (
    base_deposit_v1_pb2,
    cosmos_bank_pb2,
    market_v1_pb2,
    market_v1beta5_pb2,
    settlement_v1_pb2,
)
from reconciler.chain.wire_market import bid_id_to, lease_id_to
from reconciler.chain.wire_values import coin, dec_coin, offer_of
from reconciler.values.desired import CloseReason
from reconciler.values.messages import (
    USAGE_TYPE,
    CloseBid,
    CreateBid,
    Message,
    PayOut,
    RecordUsage,
    SettleUsage,
    WithdrawLease,
)

REASONS = {
    CloseReason.UNSTABLE: market_v1_pb2.lease_closed_reason_unstable,
    CloseReason.DECOMMISSION: market_v1_pb2.lease_closed_reason_decommission,
    CloseReason.UNSPECIFIED: market_v1_pb2.lease_closed_reason_unspecified,
    CloseReason.MANIFEST_TIMEOUT: market_v1_pb2.lease_closed_reason_manifest_timeout,
}


def wire_of(message: Message, key: PrivateKey) -> Wire:
    """The protobuf message; a usage record is signed with the key, deterministically (semantics 5.3)."""
    match message:
        case CreateBid():
            return _create_bid(message)
        case CloseBid(id=bid, reason=reason):
            return market_v1beta5_pb2.MsgCloseBid(id=bid_id_to(bid), reason=REASONS[reason])
        case WithdrawLease(id=lease):
            return market_v1beta5_pb2.MsgWithdrawLease(id=lease_id_to(lease))
        case RecordUsage():
            return _record_usage(message, key)
        case PayOut(recipient=recipient, amount=amount):
            return cosmos_bank_pb2.MsgSend(
                from_address=key.address, to_address=recipient, amount=[coin(amount)]
            )
        case SettleUsage(order=order, records=records):
            return settlement_v1_pb2.MsgSettleOrder(
                sender=key.address, order_id=str(order), usage_record_ids=list(dict.fromkeys(records))
            )


def _create_bid(message: CreateBid) -> market_v1beta5_pb2.MsgCreateBid:
    return market_v1beta5_pb2.MsgCreateBid(
        id=bid_id_to(message.id),
        price=dec_coin(message.price),
        deposit=base_deposit_v1_pb2.Deposit(
            amount=coin(message.deposit), sources=[base_deposit_v1_pb2.balance]
        ),
        resources_offer=[offer_of(unit) for unit in message.units],
    )


def _record_usage(message: RecordUsage, key: PrivateKey) -> settlement_v1_pb2.MsgRecordUsage:
    record = settlement_v1_pb2.MsgRecordUsage(
        sender=key.address,
        order_id=str(message.lease.order),
        lease_id=str(message.lease),
        usage_units=1,
        usage_type=USAGE_TYPE,
        period_start=message.period_start,
        period_end=message.period_end,
        unit_price=dec_coin(Decimal(message.amount)),
    )
    record.signature = key.sign(usage_document(record))
    return record


def usage_document(record: settlement_v1_pb2.MsgRecordUsage) -> bytes:
    """The signed content of a usage record: canonical JSON, defined by the provider (semantics 5.3).

    The signature is deterministic, so it identifies the record: a period billed twice has the same one.
    """
    content = {
        "order_id": record.order_id,
        "lease_id": record.lease_id,
        "usage_units": record.usage_units,
        "usage_type": record.usage_type,
        "period_start": record.period_start,
        "period_end": record.period_end,
        "unit_price": record.unit_price.amount + record.unit_price.denom,
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
