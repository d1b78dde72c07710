"""Balances and movements of coins."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.chain.proto.cosmos_bank_pb2 import MsgSend, MsgSendResponse
from reconciler.chain.proto.cosmos_coin_pb2 import Coin
from reconciler.devnet.chain import accounts
from reconciler.devnet.chain.addresses import AddressError, raw
from reconciler.devnet.chain.amounts import coins_text, valid_denom
from reconciler.devnet.chain.call import MessageCall
from reconciler.devnet.chain.errors import sdk
from reconciler.devnet.chain.store import StateReader
from reconciler.devnet.chain.tables import BALANCES

_KEY_BYTES = 25
_INDEX_BYTES = 26
_PARAMS_READS = (4, 3, 3)
"""The bytes that MsgSend reads to check whether the denomination may be sent."""


def key(address: str, denom: str) -> bytes:
    """The key of one balance."""
    return raw(address) + b"/" + denom.encode()


def balance(state: StateReader, address: str, denom: str) -> int:
    """An account's balance of a denomination; nothing is locked, so all of it is spendable."""
    return state.get(BALANCES, key(address, denom)) or 0


def held(call: MessageCall, address: str, denom: str) -> int:
    """The same inside a call, charged as one read of a balance."""
    amount = call.state.peek(BALANCES, key(address, denom))
    call.state.meter.read(_KEY_BYTES + (0 if amount is None else len(str(amount))))
    return amount or 0


def spendable(call: MessageCall, address: str, denom: str) -> int:
    """The same, charged with the read of the account for locked coins."""
    accounts.charge_read(call.state, address)
    return held(call, address, denom)


def send(call: MessageCall, sender: str, recipient: str, coins: Sequence[Coin]) -> None:
    """Move coins; `sdk/5` if the balance is too small; a new recipient gets an account number."""
    accounts.charge_read(call.state, sender)
    for coin in coins:
        amount, has = int(coin.amount or 0), held(call, sender, coin.denom)
        if has < amount:
            words = f"spendable balance {has}{coin.denom} is smaller than {amount}{coin.denom}"
            raise sdk(5, f"{words}: insufficient funds")
        _set(call, sender, coin.denom, has - amount)
    for coin in coins:
        _set(call, recipient, coin.denom, held(call, recipient, coin.denom) + int(coin.amount or 0))
    accounts.ensure_account(call.state, recipient)
    call.events.moved(sender, recipient, coins_text(coins))


def send_to_module(call: MessageCall, sender: str, module: str, coins: Sequence[Coin]) -> None:
    """Move coins to a module's account, which is created at its first use."""
    accounts.ensure_module_account(call.state, module)
    send(call, sender, module, coins)


def _set(call: MessageCall, address: str, denom: str, amount: int) -> None:
    """Write a balance and its index entry; an empty balance is removed from both."""
    meter = call.state.meter
    if amount:
        meter.write(_INDEX_BYTES)
        meter.write(_KEY_BYTES + len(str(amount)))
    else:
        meter.delete()
        meter.delete()
    call.state.put_free(BALANCES, key(address, denom), amount or None)


def send_message(call: MessageCall, msg: MsgSend) -> MsgSendResponse:
    """Execute a MsgSend; the SDK validates it here, not before."""
    for name, address in (("from", msg.from_address), ("to", msg.to_address)):
        try:
            raw(address)
        except AddressError as error:
            raise sdk(7, f"invalid {name} address: {error}: invalid address") from error
    good = all(valid_denom(coin.denom) and int(coin.amount or 0) > 0 for coin in msg.amount)
    if not msg.amount or not good:
        raise sdk(10, f"{coins_text(msg.amount)}: invalid coins")
    for size in _PARAMS_READS:
        call.state.meter.read(size)
    send(call, msg.from_address, msg.to_address, msg.amount)
    return MsgSendResponse()
