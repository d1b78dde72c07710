"""Settling an escrow account: lazily, for all blocks since the last settling (semantics 4.2)."""

from __future__ import annotations

from reconciler.chain.proto.escrow_types_v1_pb2 import AccountState
from reconciler.chain.proto.take_v1_pb2 import Params as TakeParams
from reconciler.devnet.chain import bank
from reconciler.devnet.chain.addresses import DISTRIBUTION, ESCROW
from reconciler.devnet.chain.amounts import ONE, coin, dec, dec_coin, truncated, whole
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import PanicError, TxRefusedError
from reconciler.devnet.chain.escrow_records import (
    CLOSED,
    OPEN,
    OVERDRAWN,
    OpenedAccount,
    OpenedPayment,
    take_payments,
)
from reconciler.devnet.chain.tables import PARAMS

COMMUNITY_POOL_GAS = 4080
"""Gas of the fee pool, which is read and written with the transfer of the fee."""


def settle(call: MessageCall, account: OpenedAccount) -> tuple[list[OpenedPayment], bool]:
    """Move what is owed since the last settling from the account to its payments.

    Returns the payments that were loaded and whether the account is overdrawn. In a block in which it was
    settled already no open payment is loaded (semantics 4.4).
    """
    state = account.state
    if state.state == CLOSED:
        raise TxRefusedError("escrow", 2, "account closed")
    if dec(state.funds[0].amount) < 0:
        return [], True
    blocks = 0
    if state.state != OVERDRAWN:
        blocks, state.settled_at = call.height - state.settled_at, call.height
    account.dirty = True
    payments = take_payments(call, account.id, (OVERDRAWN, OPEN) if blocks else (OVERDRAWN,))
    if not payments or not _pay_blocks(account, payments, blocks):
        return payments, False
    state.state = OVERDRAWN
    for payment in payments:
        payment.state.state = OVERDRAWN
        payment.dirty = True
        pay_out(call, payment)
    return payments, True


def pay_out(call: MessageCall, payment: OpenedPayment) -> None:
    """Pay out a payment's whole uve: the take fee to the pool, the rest to its owner."""
    state = payment.state
    denom, gross = state.balance.denom, whole(dec(state.balance.amount))
    if not gross:
        return
    fee = take_fee(call, gross, denom)
    if fee:
        bank.send_to_module(call, ESCROW, DISTRIBUTION, [coin(denom, fee)])
        call.state.meter.charge(COMMUNITY_POOL_GAS, "WritePerByte")
    if gross - fee:
        bank.send(call, ESCROW, state.owner, [coin(denom, gross - fee)])
    state.withdrawn.amount = str(int(state.withdrawn.amount) + gross)
    state.balance.CopyFrom(dec_coin(denom, dec(state.balance.amount) - gross * ONE))
    payment.dirty = True


def _pay_blocks(account: OpenedAccount, payments: list[OpenedPayment], blocks: int) -> bool:
    """Distribute the account's funds in the order of the payments; true if they were too small."""
    overdrawn = False
    owed = [_owed(payment, blocks) for payment in payments]
    for payment, amount in zip(payments, owed, strict=True):
        state = payment.state
        paid, short = _deduct(account.state, state.rate.denom, amount)
        payment.dirty = True
        if paid > 0:
            state.balance.CopyFrom(dec_coin(state.balance.denom, dec(state.balance.amount) + paid))
        if short:
            overdrawn = True
            state.state = OVERDRAWN
            missing = dec(state.unsettled.amount) + amount - paid
            state.unsettled.CopyFrom(dec_coin(state.unsettled.denom, missing))
        else:
            state.state = OPEN
    return overdrawn


def _owed(payment: OpenedPayment, blocks: int) -> int:
    state = payment.state
    if payment.before != OVERDRAWN:
        return truncated(dec(state.rate.amount) * blocks)
    owed = dec(state.unsettled.amount)
    state.unsettled.CopyFrom(dec_coin(state.unsettled.denom, 0))
    return owed


def _deduct(state: AccountState, denom: str, amount: int) -> tuple[int, bool]:
    """Deduct from the deposits, first in first out; a shortfall makes the funds negative."""
    funds = next((held for held in state.funds if held.denom == denom), None)
    transferred = next((moved for moved in state.transferred if moved.denom == denom), None)
    if funds is None or transferred is None:
        raise PanicError(f'unknown denom "{denom}"')
    left, emptied = amount, 0
    for deposit in state.deposits:
        part = min(dec(deposit.balance.amount), left)
        deposit.balance.amount = str(dec(deposit.balance.amount) - part)
        emptied += dec(deposit.balance.amount) == 0
        left -= part
        if not left:
            break
    del state.deposits[:emptied]
    taken = amount - left
    transferred.amount = str(dec(transferred.amount) + taken)
    funds.amount = str(dec(funds.amount) - amount)
    return taken, left > 0


def take_fee(call: MessageCall, amount: int, denom: str) -> int:
    """The chain's fee on `amount`, truncated, at the denomination's or the default rate (semantics 4.3)."""
    params = TakeParams.FromString(call.state.get(PARAMS, b"take") or b"")
    rates = {rate.denom: rate.rate for rate in params.denom_take_rates}
    return amount * rates.get(denom, params.default_take_rate) // 100
