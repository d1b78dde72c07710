"""What a transfer to or from our account pays: the lease or deployment, or the refund of a deposit. Pure.

The chain's events do not say it; their order within a message does (semantics 3.9).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from google.protobuf.message import DecodeError, Message

from reconciler.chain.proto import (
    escrow_id_v1_pb2,
    escrow_v1_pb2,
    market_v1beta5_pb2,
    settlement_v1_pb2,
)
from reconciler.chain.rpc import BlockEvent
from reconciler.chain.transactions import decode_tx
from reconciler.chain.wire_market import lease_id_of, order_id_of
from reconciler.chain.wire_values import text_of
from reconciler.values.ids import DeploymentId, LeaseId, OrderId
from reconciler.values.observed import TransferCause

BID_CLOSED = "virtengine.market.v1.EventBidClosed"
LEASE_CLOSED = "virtengine.market.v1.EventLeaseClosed"
CREATE_LEASE = "/virtengine.market.v1beta5.MsgCreateLease"


UNKNOWN = TransferCause()


def transfer_cause(events: Sequence[BlockEvent], place: int, raw: bytes, address: str) -> TransferCause:
    """The cause of the transfer at a place among a transaction's events; `raw` is the transaction, b"" if it
    is not known.
    """
    number = events[place].value("msg_index")
    if not number.isdecimal() or len(number) > 6:
        return UNKNOWN  # the fee, or an event of the block itself
    siblings = [event for event in events if event.value("msg_index") == number]
    if (bid := _refunded_bid(events, place, number, address)) is not None:
        return TransferCause(bid, bid.deployment, is_refund=True)
    message = _message(raw, int(number))
    if any(event.value("action") == CREATE_LEASE for event in siblings):
        lost = _lost_bid(message, address)
        return TransferCause(lost, lost.deployment if lost else None, is_refund=True)
    leases = {each for event in siblings if (each := _closed_lease(event, address)) is not None}
    cause = _of_message(message, leases, address)
    if cause.lease is not None and _incomes(events, number, address) > 1:
        return TransferCause(None, cause.deployment)  # each lease of the deployment is paid by one transfer
    return cause


def _incomes(events: Sequence[BlockEvent], number: str, address: str) -> int:
    """How often a message paid us, refunds aside."""
    return sum(
        event.type == "transfer"
        and event.value("msg_index") == number
        and event.value("recipient") == address
        and _refunded_bid(events, place, number, address) is None
        for place, event in enumerate(events)
    )


def _refunded_bid(events: Sequence[BlockEvent], place: int, number: str, address: str) -> LeaseId | None:
    """Our bid whose closing follows the transfer directly: its deposit was returned."""
    for event in events[place + 1 :]:
        if event.value("msg_index") != number or event.type == "transfer":
            return None
        if event.type.startswith("virtengine."):
            return _id(event, address) if event.type == BID_CLOSED else None
    return None


def _lost_bid(message: Message | None, address: str) -> LeaseId | None:
    """Our bid on the order whose lease went to another provider."""
    if not isinstance(message, market_v1beta5_pb2.MsgCreateLease):
        return None
    return LeaseId(order_id_of(message.bid_id), address)


def _of_message(message: Message | None, closed: set[LeaseId], address: str) -> TransferCause:
    match message:
        case market_v1beta5_pb2.MsgCreateBid():
            bid = lease_id_of(message.id)
            return TransferCause(bid, bid.deployment)
        case market_v1beta5_pb2.MsgWithdrawLease():
            closed = closed | {lease_id_of(message.id)}
        case settlement_v1_pb2.MsgSettleOrder():
            try:
                order = OrderId.parse(text_of(message.order_id))
            except ValueError:
                return UNKNOWN
            return TransferCause(LeaseId(order, address), order.deployment)
        case escrow_v1_pb2.MsgAccountDeposit() if message.id.scope == escrow_id_v1_pb2.deployment:
            return TransferCause(None, _deployment(message.id.xid))
        case _:
            pass
    if len(closed) == 1:
        (lease,) = closed
        return TransferCause(lease, lease.deployment)
    deployments = {lease.deployment for lease in closed}
    return TransferCause(None, deployments.pop() if len(deployments) == 1 else None)


def _message(raw: bytes, number: int) -> Message | None:
    if not raw:
        return None
    try:
        messages = decode_tx(raw).messages
    except (ValueError, DecodeError):
        return None
    return messages[number] if number < len(messages) else None


def _closed_lease(event: BlockEvent, address: str) -> LeaseId | None:
    return _id(event, address) if event.type == LEASE_CLOSED else None


def _id(event: BlockEvent, address: str) -> LeaseId | None:
    """Our bid or lease that an event names."""
    try:
        content = json.loads(event.value("id"))
        provider = text_of(content["provider"])
        order = OrderId(
            text_of(content["owner"]), int(content["dseq"]), int(content["gseq"]), int(content["oseq"])
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return LeaseId(order, provider) if provider == address else None


def _deployment(text: str) -> DeploymentId | None:
    try:
        return DeploymentId.parse(text_of(text))
    except ValueError:
        return None
