"""The messages that create, activate and end a settlement escrow, and its expiry (semantics 5.1, 5.5)."""

from __future__ import annotations

from reconciler.chain.proto import settlement_v1_pb2 as v1
from reconciler.devnet.chain import settlement_funds as funds
from reconciler.devnet.chain import settlement_gas
from reconciler.devnet.chain import settlement_records as records
from reconciler.devnet.chain.addresses import GOVERNANCE
from reconciler.devnet.chain.amounts import coins_text
from reconciler.devnet.chain.call import NANOSECONDS, MessageCall
from reconciler.devnet.chain.settlement_records import refused
from reconciler.devnet.chain.tables import (
    SETTLEMENT_ACTIVE,
    SETTLEMENT_ENDS,
    SETTLEMENT_ESCROW_OF,
    SETTLEMENT_EXPIRIES,
)


def create(call: MessageCall, msg: v1.MsgCreateEscrow) -> v1.MsgCreateEscrowResponse:
    """Execute a MsgCreateEscrow; an order has one escrow, the first."""
    if call.state.get(SETTLEMENT_ESCROW_OF, msg.order_id.encode()):
        raise refused(1502, f"escrow already exists for order {msg.order_id}")
    limits = records.params(call)
    if msg.expires_in < limits.min_escrow_duration:
        raise refused(1500, f"expires_in must be at least {limits.min_escrow_duration} seconds")
    if msg.expires_in > limits.max_escrow_duration:
        raise refused(1500, f"expires_in cannot exceed {limits.max_escrow_duration} seconds")
    ends_ns = call.time_ns + msg.expires_in * NANOSECONDS
    escrow = v1.EscrowAccount(
        escrow_id=f"escrow-{records.number(call, 'escrow')}",
        order_id=msg.order_id,
        depositor=msg.sender,
        amount=msg.amount,
        balance=msg.amount,
        state=records.PENDING,
        created_at=call.time,
        expires_at=ends_ns // NANOSECONDS,
        block_height=call.height,
    )
    funds.open_with(call, escrow)
    name = escrow.escrow_id.encode()
    call.state.put_free(SETTLEMENT_ENDS, name, ends_ns)
    call.state.put_free(SETTLEMENT_EXPIRIES, ends_ns.to_bytes(8, "big") + name, 1)
    call.state.put(SETTLEMENT_ESCROW_OF, msg.order_id.encode(), (escrow.escrow_id,))
    records.keep(call, escrow)
    settlement_gas.charge(call.state.meter, settlement_gas.CREATE)
    records.emit_unregistered(call)
    return v1.MsgCreateEscrowResponse(escrow_id=escrow.escrow_id, created_at=call.time)


def activate(call: MessageCall, msg: v1.MsgActivateEscrow) -> v1.MsgActivateEscrowResponse:
    """Execute a MsgActivateEscrow; any sender may name any recipient."""
    escrow = records.find(call, msg.escrow_id)
    records.require_unexpired(call, escrow, f"escrow {msg.escrow_id}")
    _move(escrow, records.ACTIVE, "activate")
    escrow.lease_id, escrow.recipient, escrow.activated_at = msg.lease_id, msg.recipient, call.time
    call.state.put_free(SETTLEMENT_ACTIVE, escrow.escrow_id.encode(), call.time_ns)
    records.keep(call, escrow)
    settlement_gas.charge(call.state.meter, settlement_gas.ACTIVATE)
    records.emit_unregistered(call)
    return v1.MsgActivateEscrowResponse(activated_at=call.time)


def release(call: MessageCall, msg: v1.MsgReleaseEscrow) -> v1.MsgReleaseEscrowResponse:
    """Execute a MsgReleaseEscrow: the whole balance to the recipient, regardless of the amount."""
    escrow = records.find(call, msg.escrow_id)
    if msg.sender not in (escrow.depositor, GOVERNANCE):
        raise refused(1505, "only depositor or governance can release escrow")
    records.require_unexpired(call, escrow, f"escrow {msg.escrow_id}")
    if escrow.state not in (records.ACTIVE, records.DISPUTED):
        raise refused(1519, f"escrow {msg.escrow_id} is not active")
    _move(escrow, records.RELEASED, "release")
    paid = list(escrow.balance)
    funds.pay_rest(call, escrow, escrow.recipient, paid)
    _end(call, escrow, msg.reason)
    _record(
        call,
        escrow,
        v1.SettlementRecord(settlement_type="final", provider=escrow.recipient, total_amount=paid),
    )
    return v1.MsgReleaseEscrowResponse(released_amount=coins_text(paid), released_at=call.time)


def refund(call: MessageCall, msg: v1.MsgRefundEscrow) -> v1.MsgRefundEscrowResponse:
    """Execute a MsgRefundEscrow: the balance to the depositor; unsettled usage is lost."""
    escrow = records.find(call, msg.escrow_id)
    if msg.sender not in (escrow.depositor, escrow.recipient, GOVERNANCE):
        raise refused(1505, "not authorized to refund escrow")
    _move(escrow, records.REFUNDED, "refund")
    paid = list(escrow.balance)
    funds.pay_rest(call, escrow, escrow.depositor, paid)
    _end(call, escrow, msg.reason)
    _record(
        call,
        escrow,
        v1.SettlementRecord(settlement_type="refund", provider=escrow.depositor, total_amount=paid),
    )
    return v1.MsgRefundEscrowResponse(refunded_amount=coins_text(paid), refunded_at=call.time)


def dispute(call: MessageCall, msg: v1.MsgDisputeEscrow) -> v1.MsgDisputeEscrowResponse:
    """Execute a MsgDisputeEscrow, which freezes the escrow."""
    escrow = records.find(call, msg.escrow_id)
    if msg.sender not in (escrow.depositor, escrow.recipient):
        raise refused(1505, "only parties to escrow can file dispute")
    records.require_unexpired(call, escrow, f"escrow {msg.escrow_id}")
    _move(escrow, records.DISPUTED, "dispute")
    escrow.closure_reason = msg.reason
    records.keep(call, escrow)
    settlement_gas.charge(call.state.meter, settlement_gas.DISPUTE)
    records.emit_unregistered(call)
    return v1.MsgDisputeEscrowResponse(disputed_at=call.time)


def expire(call: MessageCall) -> None:
    """Refund every expired escrow, before the transactions of a block."""
    due: list[v1.EscrowAccount] = []
    for key, _ in call.state.scan(SETTLEMENT_EXPIRIES):
        if int.from_bytes(key[:8], "big") >= call.time_ns:
            break
        due.append(records.find(call, key[8:].decode()))
    for escrow in sorted(due, key=lambda one: (one.state != records.PENDING, one.escrow_id)):
        funds.pay_rest(call, escrow, escrow.depositor, list(escrow.balance))
        escrow.state, escrow.closed_at = records.EXPIRED, call.time
        escrow.closure_reason = "expired"
        del escrow.balance[:]
        records.keep(call, escrow)
        records.emit_unregistered(call)


def _move(escrow: v1.EscrowAccount, state: str, verb: str) -> None:
    before = escrow.state
    if not records.move(escrow, state):
        raise refused(1503, f"cannot {verb} escrow in state {before}")


def _end(call: MessageCall, escrow: v1.EscrowAccount, reason: str) -> None:
    settlement_gas.charge(call.state.meter, settlement_gas.REFUND)
    records.deduct(escrow, list(escrow.balance))
    escrow.closed_at, escrow.closure_reason = call.time, reason
    records.keep(call, escrow)


def _record(call: MessageCall, escrow: v1.EscrowAccount, record: v1.SettlementRecord) -> None:
    """Complete and store the settlement that ends an escrow, without a fee."""
    number = records.number(call, "settlement")
    record.settlement_id = f"settle-{call.time}-{number}"
    record.escrow_id, record.order_id = escrow.escrow_id, escrow.order_id
    record.lease_id, record.customer = escrow.lease_id, escrow.depositor
    record.provider_share.extend(record.total_amount)
    record.settled_at = record.period_end = call.time
    record.period_start = escrow.activated_at or escrow.created_at
    record.block_height, record.is_final = call.height, True
    records.store_settlement(call, record)
    records.emit_unregistered(call)
