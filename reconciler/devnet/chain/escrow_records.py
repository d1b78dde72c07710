"""Escrow accounts and payments as rows; the state is part of the key, so a change moves the row."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.chain.proto.escrow_id_v1_pb2 import Account as AccountId
from reconciler.chain.proto.escrow_id_v1_pb2 import Payment as PaymentId
from reconciler.chain.proto.escrow_id_v1_pb2 import Scope
from reconciler.chain.proto.escrow_types_v1_pb2 import Account, AccountState, Payment, PaymentState, State
from reconciler.devnet.chain import bank
from reconciler.devnet.chain.addresses import ESCROW
from reconciler.devnet.chain.amounts import coin, dec, whole
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import TxRefusedError
from reconciler.devnet.chain.store import StateReader
from reconciler.devnet.chain.tables import ESCROW_ACCOUNTS, ESCROW_PAYMENTS

OPEN, CLOSED, OVERDRAWN = State.open, State.closed, State.overdrawn
_STATES = (OPEN, CLOSED, OVERDRAWN)
_ENDED = (CLOSED, OVERDRAWN)


@dataclass(slots=True)
class OpenedAccount:
    """An account that is being changed; `before` is its stored state."""

    id: AccountId
    state: AccountState
    before: int
    dirty: bool = False


@dataclass(slots=True)
class OpenedPayment:
    """A payment that is being changed."""

    id: PaymentId
    state: PaymentState
    before: int
    dirty: bool = False


def account_text(id_: AccountId) -> str:
    """`scope/xid`."""
    return f"{Scope.Name(id_.scope)}/{id_.xid}"


def payment_text(id_: PaymentId) -> str:
    """`scope/account xid/payment xid`."""
    return f"{account_text(id_.aid)}/{id_.xid}"


def account_key(state: int, text: str) -> bytes:
    """The key of an account, or a prefix of keys."""
    return b"\x11\x00" + bytes([state]) + (b"/" + text.encode() if text else b"")


def payment_key(state: int, text: str) -> bytes:
    """The key of a payment, or a prefix of keys."""
    return b"\x12\x00" + bytes([state]) + (b"/" + text.encode() if text else b"")


def account_id(key: bytes) -> AccountId:
    """The id in an account's key."""
    scope, _, xid = key[4:].decode().partition("/")
    return AccountId(scope=scope, xid=xid)


def payment_id(key: bytes) -> PaymentId:
    """The id in a payment's key."""
    scope, owner, dseq, *rest = key[4:].decode().split("/")
    return PaymentId(aid=AccountId(scope=scope, xid=f"{owner}/{dseq}"), xid="/".join(rest))


def read_account(state: StateReader, id_: AccountId) -> Account | None:
    """An account for a query; an open row hides a closed one of the same id (semantics 5.2)."""
    for value in _STATES:
        found = state.get(ESCROW_ACCOUNTS, account_key(value, account_text(id_)))
        if found is not None:
            return Account(id=id_, state=found)
    return None


def read_payment(state: StateReader, id_: PaymentId) -> Payment | None:
    """A payment for a query."""
    for value in _STATES:
        found = state.get(ESCROW_PAYMENTS, payment_key(value, payment_text(id_)))
        if found is not None:
            return Payment(id=id_, state=found)
    return None


def account_exists(call: MessageCall, id_: AccountId) -> bool:
    """Whether an account of this id exists in any state."""
    return any(call.state.has(ESCROW_ACCOUNTS, account_key(s, account_text(id_))) for s in _STATES)


def payment_exists(call: MessageCall, id_: PaymentId) -> bool:
    """Whether a payment of this id exists in any state."""
    return any(call.state.has(ESCROW_PAYMENTS, payment_key(s, payment_text(id_))) for s in _STATES)


def take_account(call: MessageCall, id_: AccountId) -> OpenedAccount:
    """The account to change; `escrow/3` if there is none."""
    for value in _STATES:
        key = account_key(value, account_text(id_))
        if call.state.has(ESCROW_ACCOUNTS, key):
            found = AccountState()
            found.CopyFrom(call.state.get(ESCROW_ACCOUNTS, key) or found)
            return OpenedAccount(id_, found, found.state)
    raise TxRefusedError("escrow", 3, "account not found")


def take_payment(call: MessageCall, id_: PaymentId) -> OpenedPayment:
    """The payment to change; `escrow/8` if there is none."""
    for value in _STATES:
        key = payment_key(value, payment_text(id_))
        if call.state.has(ESCROW_PAYMENTS, key):
            found = PaymentState()
            found.CopyFrom(call.state.get(ESCROW_PAYMENTS, key) or found)
            return OpenedPayment(id_, found, found.state)
    raise TxRefusedError("escrow", 8, "payment not found")


def take_payments(call: MessageCall, id_: AccountId, states: tuple[int, ...]) -> list[OpenedPayment]:
    """The payments whose text begins with the account's; for dseq 12 also those of 120 (semantics 4.4)."""
    taken = []
    for value in states:
        for key, stored in call.state.walk(ESCROW_PAYMENTS, payment_key(value, account_text(id_))):
            state = PaymentState()
            state.CopyFrom(stored)
            taken.append(OpenedPayment(payment_id(key), state, state.state))
    return taken


def save_account(call: MessageCall, account: OpenedAccount) -> None:
    """Store the account; one that has ended refunds its depositors and calls the hooks."""
    state, text = account.state, account_text(account.id)
    if state.state != account.before:
        call.state.delete(ESCROW_ACCOUNTS, account_key(account.before, text))
    if state.state in _ENDED:
        _refund(call, state)
    kept = AccountState()
    kept.CopyFrom(state)
    call.state.put(ESCROW_ACCOUNTS, account_key(state.state, text), kept)
    if state.state in _ENDED:
        call.hooks.account_closed(call, Account(id=account.id, state=kept))


def save_payment(call: MessageCall, payment: OpenedPayment) -> None:
    """Store the payment; one that has ended calls the hooks."""
    state, text = payment.state, payment_text(payment.id)
    if state.state != payment.before:
        call.state.delete(ESCROW_PAYMENTS, payment_key(payment.before, text))
    kept = PaymentState()
    kept.CopyFrom(state)
    call.state.put(ESCROW_PAYMENTS, payment_key(state.state, text), kept)
    if state.state in _ENDED:
        call.hooks.payment_closed(call, Payment(id=payment.id, state=kept))


def save(call: MessageCall, account: OpenedAccount, payments: list[OpenedPayment]) -> None:
    """Store the account, then its payments."""
    if account.dirty:
        save_account(call, account)
    for payment in payments:
        if payment.dirty:
            save_payment(call, payment)


def _refund(call: MessageCall, state: AccountState) -> None:
    for deposit in state.deposits:
        if dec(deposit.balance.amount) <= 0:
            continue
        amount = whole(dec(deposit.balance.amount))
        bank.send(call, ESCROW, deposit.owner, [coin(deposit.balance.denom, amount)])
        state.funds[0].amount = str(dec(state.funds[0].amount) - amount * 10**18)
    del state.deposits[:]
