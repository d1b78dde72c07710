"""Rows, numbers and errors of the settlement module (semantics 5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.chain.proto.cosmos_coin_pb2 import Coin
from reconciler.chain.proto.settlement_v1_pb2 import EscrowAccount, Params, SettlementRecord, UsageRecord
from reconciler.devnet.chain import settlement_gas
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import TxRefusedError
from reconciler.devnet.chain.tables import (
    COUNTERS,
    PARAMS,
    SETTLEMENT_ACTIVE,
    SETTLEMENT_ENDS,
    SETTLEMENT_ESCROW_OF,
    SETTLEMENT_ESCROWS,
    SETTLEMENT_EXPIRIES,
    SETTLEMENTS,
    SETTLEMENTS_OF,
    USAGE,
    USAGE_OF,
)

PENDING, ACTIVE, RELEASED = "pending", "active", "released"
REFUNDED, DISPUTED, EXPIRED = "refunded", "disputed", "expired"
STATES = (PENDING, ACTIVE, RELEASED, REFUNDED, DISPUTED, EXPIRED)
_NEXT = {
    PENDING: (ACTIVE, REFUNDED, EXPIRED),
    ACTIVE: (RELEASED, REFUNDED, DISPUTED, EXPIRED),
    DISPUTED: (RELEASED, REFUNDED),
}
_NAMES = {
    1500: "invalid escrow",
    1501: "escrow not found",
    1502: "escrow already exists",
    1503: "invalid state transition",
    1504: "insufficient funds",
    1505: "unauthorized",
    1506: "invalid settlement",
    1512: "invalid usage record",
    1513: "usage record not found",
    1515: "usage already settled",
    1518: "escrow has expired",
    1519: "escrow not active",
}


def refused(code: int, text: str) -> TxRefusedError:
    """An error with its code's name in this module."""
    return TxRefusedError("settlement", code, f"{text}: {_NAMES[code]}")


def params(call: MessageCall) -> Params:
    """The module's parameters; every message pays the gas of reading them."""
    settlement_gas.charge(call.state.meter, settlement_gas.PARAMS)
    return Params.FromString(call.state.get(PARAMS, b"settlement") or b"")


def number(call: MessageCall, name: str) -> int:
    """The next number of a kind, from 1; one of a failed transaction is used again."""
    key = name.encode()
    value = (call.state.get(COUNTERS, key) or 0) + 1
    call.state.put(COUNTERS, key, value)
    return value


def find(call: MessageCall, escrow_id: str) -> EscrowAccount:
    """A copy of an escrow; `settlement/1501` if there is none."""
    stored = call.state.get(SETTLEMENT_ESCROWS, escrow_id.encode())
    if stored is None:
        raise refused(1501, f"escrow {escrow_id} not found")
    escrow = EscrowAccount()
    escrow.CopyFrom(stored)
    return escrow


def find_by_order(call: MessageCall, order_id: str) -> EscrowAccount:
    """The escrow of an order; `settlement/1501` if there is none."""
    names = call.state.get(SETTLEMENT_ESCROW_OF, order_id.encode())
    if not names:
        raise refused(1501, f"no escrow found for order {order_id}")
    return find(call, names[0])


def keep(call: MessageCall, escrow: EscrowAccount) -> None:
    """Store an escrow; one that has ended no longer expires."""
    name = escrow.escrow_id.encode()
    call.state.put(SETTLEMENT_ESCROWS, name, escrow)
    if escrow.state != ACTIVE and call.state.peek(SETTLEMENT_ACTIVE, name) is not None:
        call.state.put_free(SETTLEMENT_ACTIVE, name, None)
    if escrow.state not in (PENDING, ACTIVE):
        ends = ends_ns(call, escrow).to_bytes(8, "big")
        call.state.put_free(SETTLEMENT_EXPIRIES, ends + name, None)


def ends_ns(call: MessageCall, escrow: EscrowAccount) -> int:
    """The expiry of an escrow, in unix nanoseconds."""
    return call.state.peek(SETTLEMENT_ENDS, escrow.escrow_id.encode()) or 0


def move(escrow: EscrowAccount, state: str) -> bool:
    """Change an escrow's state if the rules allow it."""
    if state not in _NEXT.get(escrow.state, ()):
        return False
    escrow.state = state
    return True


def require_unexpired(call: MessageCall, escrow: EscrowAccount, words: str) -> None:
    """Refuse an expired escrow that has not ended (`settlement/1518`)."""
    if escrow.state in _NEXT and call.time_ns > ends_ns(call, escrow):
        raise refused(1518, f"{words} has expired")


def deduct(escrow: EscrowAccount, amount: Sequence[Coin]) -> None:
    """Count an amount as settled, refunds included (semantics 5.5)."""
    set_coins(escrow.balance, subtracted(escrow.balance, amount))
    set_coins(escrow.total_settled, added(escrow.total_settled, amount))
    escrow.settlement_count += 1


def store_settlement(call: MessageCall, record: SettlementRecord) -> None:
    """Store a settlement; the period of the order's next automatic one begins now."""
    name = record.settlement_id.encode()
    call.state.put(SETTLEMENTS, name, record)
    order = record.order_id.encode()
    names = call.state.get(SETTLEMENTS_OF, order) or ()
    call.state.put(SETTLEMENTS_OF, order, (*names, record.settlement_id))
    escrow = record.escrow_id.encode()
    if call.state.peek(SETTLEMENT_ACTIVE, escrow) is not None:
        call.state.put_free(SETTLEMENT_ACTIVE, escrow, call.time_ns)


def store_usage(call: MessageCall, record: UsageRecord) -> None:
    """Store a usage record; its id is appended to the order's list each time (semantics 5.4)."""
    call.state.put(USAGE, record.usage_id.encode(), record)
    order = record.order_id.encode()
    names = call.state.get(USAGE_OF, order) or ()
    call.state.put(USAGE_OF, order, (*names, record.usage_id))


def emit_unregistered(call: MessageCall, times: int = 1) -> None:
    """Emit an event of the module, which is not registered: no type, no attributes (semantics 5.7)."""
    for _ in range(times):
        call.events.emit("")


def amounts(coins: Iterable[Coin]) -> dict[str, int]:
    """Whole coins by denomination."""
    return {coin.denom: int(coin.amount) for coin in coins}


def coins(held: dict[str, int]) -> list[Coin]:
    """Coins by denomination, without zero amounts."""
    return [Coin(denom=denom, amount=str(held[denom])) for denom in sorted(held) if held[denom]]


def added(one: Iterable[Coin], other: Iterable[Coin]) -> list[Coin]:
    """The sum of two amounts."""
    total = amounts(one)
    for coin in other:
        total[coin.denom] = total.get(coin.denom, 0) + int(coin.amount)
    return coins(total)


def subtracted(one: Iterable[Coin], other: Iterable[Coin]) -> list[Coin]:
    """The difference of two amounts."""
    return added(one, [Coin(denom=coin.denom, amount=str(-int(coin.amount))) for coin in other])


def set_coins(field: object, new: Sequence[Coin]) -> None:
    """Replace a repeated field of coins."""
    kept = list(new)
    del field[:]  # type: ignore[attr-defined]  # protobuf's repeated fields share no public type
    field.extend(kept)  # type: ignore[attr-defined]  # as above
