"""The coins of a settlement escrow: in an x/escrow account, as a deployment's (semantics 5.2)."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.chain.proto.base_deposit_v1_pb2 import Source
from reconciler.chain.proto.cosmos_coin_pb2 import Coin
from reconciler.chain.proto.escrow_id_v1_pb2 import Account as AccountId
from reconciler.chain.proto.escrow_id_v1_pb2 import Scope
from reconciler.chain.proto.escrow_types_v1_pb2 import AccountState, Depositor
from reconciler.chain.proto.settlement_v1_pb2 import EscrowAccount
from reconciler.devnet.chain import bank
from reconciler.devnet.chain import escrow as accounts
from reconciler.devnet.chain import escrow_records as records
from reconciler.devnet.chain.addresses import ESCROW, SETTLEMENT
from reconciler.devnet.chain.amounts import ONE, dec, dec_coin
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import TxRefusedError
from reconciler.devnet.chain.settlement_records import refused


def account_id(escrow: EscrowAccount) -> AccountId:
    """`deployment/<depositor>/<number>`: the number is the escrow's own."""
    number = escrow.escrow_id.rpartition("-")[2]
    return AccountId(scope=Scope.deployment, xid=f"{escrow.depositor}/{number}")


def open_with(call: MessageCall, escrow: EscrowAccount) -> None:
    """Open the account with the escrow's amount; `settlement/1504` for any failure."""
    given = [
        Depositor(
            owner=escrow.depositor,
            height=call.height,
            source=Source.balance,
            balance=dec_coin(coin.denom, int(coin.amount) * ONE),
            direct=True,
        )
        for coin in escrow.amount
    ]
    try:
        accounts.create_account(call, account_id(escrow), escrow.depositor, given)
    except TxRefusedError as refusal:
        raise refused(1504, refusal.text) from refusal


def pay(call: MessageCall, escrow: EscrowAccount, recipient: str, amount: Sequence[Coin]) -> None:
    """Pay an amount out of the account, which stays open."""
    account = records.take_account(call, account_id(escrow))
    _pay(call, account, recipient, amount)
    _save(call, account)


def pay_rest(call: MessageCall, escrow: EscrowAccount, recipient: str, amount: Sequence[Coin]) -> None:
    """Pay out the rest and close the account; the row of the open one is never removed."""
    account = records.take_account(call, account_id(escrow))
    if amount:
        _pay(call, account, recipient, amount)
    account.state.settled_at = call.height
    account.state.state = records.CLOSED
    _save(call, account)


def _pay(call: MessageCall, account: records.OpenedAccount, recipient: str, amount: Sequence[Coin]) -> None:
    for coin in amount:
        _take(account.state, coin)
    if recipient == SETTLEMENT:
        bank.send_to_module(call, ESCROW, recipient, amount)
    else:
        bank.send(call, ESCROW, recipient, amount)
    account.state.settled_at = call.height


def _save(call: MessageCall, account: records.OpenedAccount) -> None:
    account.before = account.state.state
    records.save_account(call, account)


def _take(state: AccountState, coin: Coin) -> None:
    """Deduct a coin from the deposits, first in first out."""
    funds = next((held for held in state.funds if held.denom == coin.denom), None)
    transferred = next((moved for moved in state.transferred if moved.denom == coin.denom), None)
    if funds is None or transferred is None:
        raise refused(1500, f"unknown escrow denom {coin.denom}")
    left = wanted = int(coin.amount) * ONE
    for deposit in state.deposits:
        if deposit.balance.denom == coin.denom:
            part = min(dec(deposit.balance.amount), left)
            deposit.balance.amount = str(dec(deposit.balance.amount) - part)
            left -= part
    if left:
        raise refused(1504, "insufficient escrow balance")
    kept = [deposit for deposit in state.deposits if dec(deposit.balance.amount)]
    del state.deposits[:]
    state.deposits.extend(kept)
    transferred.amount = str(dec(transferred.amount) + wanted)
    funds.amount = str(dec(funds.amount) - wanted)
