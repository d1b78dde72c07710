"""Balances and movements of coins."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.chain.proto.cosmos_bank_pb2 import MsgSend, MsgSendResponse
from reconciler.chain.proto.cosmos_coin_pb2 import Coin
from reconciler.devnet.chain.addresses import AddressError, raw
from reconciler.devnet.chain.amounts import coins_text, valid_denom
from reconciler.devnet.chain.call import Call
from reconciler.devnet.chain.errors import sdk
from reconciler.devnet.chain.store import Reader
from reconciler.devnet.chain.tables import BALANCES

TRANSFER_GAS = 16000
"""Two balances read and written, the recipient's account looked up (semantics 1.6)."""


def key(address: str, denom: str) -> bytes:
    """The key of one balance."""
    return raw(address) + b"/" + denom.encode()


def balance(state: Reader, address: str, denom: str) -> int:
    """What an account holds of a denomination; never locked, so all of it is spendable."""
    return state.get(BALANCES, key(address, denom)) or 0


def held(call: Call, address: str, denom: str) -> int:
    """The same inside a call; its gas is part of what moves the coins."""
    return call.state.peek(BALANCES, key(address, denom)) or 0


def send(call: Call, sender: str, recipient: str, coins: Sequence[Coin]) -> None:
    """Move coins; `sdk/5` if the sender has not enough."""
    for coin in coins:
        amount, has = int(coin.amount), held(call, sender, coin.denom)
        if has < amount:
            words = f"spendable balance {has}{coin.denom} is smaller than {amount}{coin.denom}"
            raise sdk(5, f"{words}: insufficient funds")
        call.state.put_free(BALANCES, key(sender, coin.denom), has - amount)
        call.state.put_free(BALANCES, key(recipient, coin.denom), held(call, recipient, coin.denom) + amount)
        call.state.meter.charge(TRANSFER_GAS, "WritePerByte")
    call.events.moved(sender, recipient, coins_text(coins))


def pay(call: Call, sender: str, recipient: str, amount: int, denom: str) -> None:
    """Move one coin; nothing for nothing."""
    send(call, sender, recipient, [Coin(denom=denom, amount=str(amount))])


def send_message(call: Call, msg: MsgSend) -> MsgSendResponse:
    """Execute a MsgSend; the SDK checks its form here, not before."""
    for name, address in (("from", msg.from_address), ("to", msg.to_address)):
        try:
            raw(address)
        except AddressError as error:
            raise sdk(7, f"invalid {name} address: {error}: invalid address") from error
    good = all(valid_denom(coin.denom) and int(coin.amount or 0) > 0 for coin in msg.amount)
    if not msg.amount or not good:
        raise sdk(10, f"{coins_text(msg.amount)}: invalid coins")
    send(call, msg.from_address, msg.to_address, msg.amount)
    return MsgSendResponse()
