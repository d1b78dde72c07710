"""Stateless checks of the settlement messages (semantics 5.1, 5.3)."""

from __future__ import annotations

from reconciler.chain.proto import settlement_v1_pb2 as v1
from reconciler.chain.proto.cosmos_coin_pb2 import Coin
from reconciler.devnet.chain.addresses import AddressError, raw
from reconciler.devnet.chain.amounts import valid_denom
from reconciler.devnet.chain.errors import TxRefusedError

_NAMES = {
    1: "invalid address",
    2: "invalid escrow",
    3: "invalid amount",
    4: "invalid settlement",
    5: "invalid usage record",
    6: "invalid signature",
}


def create(msg: v1.MsgCreateEscrow) -> None:
    """Check a MsgCreateEscrow."""
    _address(msg.sender, "sender")
    _given(msg.order_id, "order_id", 2)
    if not msg.amount or not _valid(list(msg.amount)):
        raise _refused(3, "amount must be valid and non-zero")
    if not msg.expires_in:
        raise _refused(2, "expires_in must be greater than zero")


def activate(msg: v1.MsgActivateEscrow) -> None:
    """Check a MsgActivateEscrow."""
    _address(msg.sender, "sender")
    _given(msg.escrow_id, "escrow_id", 2)
    _given(msg.lease_id, "lease_id", 2)
    _address(msg.recipient, "recipient")


def release(msg: v1.MsgReleaseEscrow) -> None:
    """Check a MsgReleaseEscrow; the amount may be missing."""
    _address(msg.sender, "sender")
    _given(msg.escrow_id, "escrow_id", 2)
    if not _valid(list(msg.amount)):
        raise _refused(3, "amount must be valid")


def end(msg: v1.MsgRefundEscrow | v1.MsgDisputeEscrow) -> None:
    """Check a MsgRefundEscrow or a MsgDisputeEscrow."""
    _address(msg.sender, "sender")
    _given(msg.escrow_id, "escrow_id", 2)
    _given(msg.reason, "reason", 2)


def settle(msg: v1.MsgSettleOrder) -> None:
    """Check a MsgSettleOrder."""
    _address(msg.sender, "sender")
    _given(msg.order_id, "order_id", 4)


def record(msg: v1.MsgRecordUsage) -> None:
    """Check a MsgRecordUsage."""
    _address(msg.sender, "sender")
    _given(msg.order_id, "order_id", 5)
    _given(msg.lease_id, "lease_id", 5)
    if not msg.usage_units:
        raise _refused(5, "usage_units must be greater than zero")
    _given(msg.usage_type, "usage_type", 5)
    if msg.period_end <= msg.period_start:
        raise _refused(5, "period_end must be after period_start")
    _given(msg.signature, "signature", 6)


def acknowledge(msg: v1.MsgAcknowledgeUsage) -> None:
    """Check a MsgAcknowledgeUsage."""
    _address(msg.sender, "sender")
    _given(msg.usage_id, "usage_id", 5)
    _given(msg.signature, "signature", 6)


def _refused(code: int, text: str) -> TxRefusedError:
    return TxRefusedError("settlement", code, f"{text}: {_NAMES[code]}")


def _given(value: str | bytes, name: str, code: int) -> None:
    if not value:
        raise _refused(code, f"{name} cannot be empty")


def _address(value: str, name: str) -> None:
    try:
        raw(value)
    except AddressError as error:
        raise _refused(1, f"invalid {name} address") from error


def _valid(coins: list[Coin]) -> bool:
    names = [coin.denom for coin in coins]
    return names == sorted(set(names)) and all(
        valid_denom(coin.denom) and int(coin.amount or 0) > 0 for coin in coins
    )
