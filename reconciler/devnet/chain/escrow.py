"""Operations on escrow accounts and payments (semantics 4)."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.chain.proto.cosmos_coin_pb2 import Coin, DecCoin
from reconciler.chain.proto.escrow_id_v1_pb2 import Account as AccountId
from reconciler.chain.proto.escrow_id_v1_pb2 import Payment as PaymentId
from reconciler.chain.proto.escrow_types_v1_pb2 import AccountState, Balance, Depositor, PaymentState
from reconciler.chain.proto.escrow_v1_pb2 import MsgAccountDeposit, MsgAccountDepositResponse
from reconciler.devnet.chain import bank, deposits
from reconciler.devnet.chain import escrow_records as records
from reconciler.devnet.chain.addresses import ESCROW
from reconciler.devnet.chain.amounts import ONE, coin, dec, dec_coin
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import PanicError, TxRefusedError
from reconciler.devnet.chain.escrow_records import CLOSED, OPEN, OVERDRAWN, OpenedPayment
from reconciler.devnet.chain.escrow_settling import pay_out, settle
from reconciler.devnet.chain.tables import ESCROW_ACCOUNTS


def create_account(call: MessageCall, id_: AccountId, owner: str, given: Sequence[Depositor]) -> None:
    """Open an account with its first deposits; `escrow/1` if it exists."""
    if records.account_exists(call, id_):
        raise TxRefusedError("escrow", 1, "account exists")
    denoms = sorted({deposit.balance.denom for deposit in given})
    state = AccountState(
        owner=owner,
        state=OPEN,
        transferred=[dec_coin(denom, 0) for denom in denoms],
        settled_at=call.height,
        funds=[Balance(denom=denom, amount="0") for denom in denoms],
    )
    _fund(call, state, given)
    key = records.account_key(OPEN, records.account_text(id_))
    call.state.put(ESCROW_ACCOUNTS, key, state)


def close_account(call: MessageCall, id_: AccountId) -> None:
    """Settle, pay the loaded payments, refund the rest; `escrow/2` if it is closed."""
    account = records.take_account(call, id_)
    payments, _ = settle(call, account)
    account.dirty = True
    if account.state.state == OPEN:
        account.state.state = CLOSED
    for payment in payments:
        _end(call, payment)
    records.save(call, account, payments)


def deposit(call: MessageCall, id_: AccountId, given: Sequence[Depositor]) -> None:
    """Add deposits; in an overdrawn account they pay its debts, and the rest is refunded."""
    account = records.take_account(call, id_)
    if account.state.state == CLOSED:
        raise TxRefusedError("escrow", 2, "account closed")
    _fund(call, account.state, given)
    if account.state.state != OVERDRAWN:
        records.save_account(call, account)
        return
    payments, short = settle(call, account)
    for payment in payments:
        _end(call, payment)
    if not short:
        account.state.state = CLOSED
    records.save(call, account, payments)


def create_payment(call: MessageCall, id_: PaymentId, owner: str, rate: DecCoin) -> None:
    """Create a payment per block; what other payments accrued since the last settling is lost."""
    account = records.take_account(call, id_.aid)
    _, short = settle(call, account)
    if short:
        raise TxRefusedError("escrow", 4, "account overdrawn")
    if all(funds.denom != rate.denom for funds in account.state.funds):
        raise TxRefusedError("escrow", 5, "invalid denomination")
    if not dec(rate.amount):
        raise TxRefusedError("escrow", 9, "payment rate zero")
    if records.payment_exists(call, id_):
        raise TxRefusedError("escrow", 6, "payment exists")
    if account.dirty:
        records.save_account(call, account)
    state = PaymentState(
        owner=owner,
        state=OPEN,
        rate=rate,
        balance=dec_coin(rate.denom, 0),
        unsettled=dec_coin(rate.denom, 0),
        withdrawn=Coin(denom=rate.denom, amount="0"),
    )
    records.save_payment(call, OpenedPayment(id_, state, OPEN))


def withdraw_payment(call: MessageCall, id_: PaymentId) -> None:
    """Settle the account and pay this payment out; `escrow/7` if it has ended (semantics 4.3)."""
    account = records.take_account(call, id_.aid)
    if records.take_payment(call, id_).state.state != OPEN:
        raise TxRefusedError("escrow", 7, "payment closed")
    payments, short = settle(call, account)
    if not short:
        mine = [payment for payment in payments if payment.id == id_]
        if not mine:
            raise PanicError(f"couldn't find payment {_shown(id_)}")
        pay_out(call, mine[-1])
    records.save(call, account, payments)


def close_payment(call: MessageCall, id_: PaymentId) -> None:
    """Settle and close this payment; one that was not loaded stays open (semantics 4.4)."""
    account = records.take_account(call, id_.aid)
    if records.take_payment(call, id_).state.state not in (OPEN, OVERDRAWN):
        raise TxRefusedError("escrow", 7, "payment closed")
    payments, _ = settle(call, account)
    account.dirty = True
    for payment in payments:
        payment.dirty = True
        if payment.id == id_:
            _end(call, payment)
    records.save(call, account, payments)


def account_deposit(call: MessageCall, msg: MsgAccountDeposit) -> MsgAccountDepositResponse:
    """Execute a MsgAccountDeposit; anyone may send one."""
    given = deposits.authorize(call, msg.signer, msg.deposit)
    deposit(call, msg.id, given)
    return MsgAccountDepositResponse()


def _end(call: MessageCall, payment: OpenedPayment) -> None:
    payment.dirty = True
    if payment.state.state == OPEN:
        payment.state.state = CLOSED
    pay_out(call, payment)


def _fund(call: MessageCall, state: AccountState, given: Sequence[Depositor]) -> None:
    for new in given:
        funds = next((held for held in state.funds if held.denom == new.balance.denom), None)
        if funds is None:
            raise TxRefusedError("escrow", 5, "invalid denomination")
        amount = dec(new.balance.amount)
        bank.send_to_module(call, new.owner, ESCROW, [coin(new.balance.denom, amount // ONE)])
        funds.amount = str(max(dec(funds.amount), 0) + amount)
    state.deposits.extend(given)


def _shown(id_: PaymentId) -> str:
    """A payment's id as in the message of a Go panic."""
    return f'aid:<scope:deployment xid:"{id_.aid.xid}" > xid:"{id_.xid}" '
