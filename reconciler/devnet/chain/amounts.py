"""Decimals in the chain's form: integers times 10^18, as text (semantics 2)."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.chain.proto.cosmos_coin_pb2 import Coin, DecCoin

ONE = 10**18


def dec(text: str) -> int:
    """The integer of a decimal's wire text; an empty text is zero."""
    return int(text) if text else 0


def whole(units: int) -> int:
    """A decimal truncated towards zero to a whole number."""
    return units // ONE if units >= 0 else -(-units // ONE)


def truncated(units: int) -> int:
    """A decimal without its fraction, still times 10^18."""
    return whole(units) * ONE


def dec_coin(denom: str, units: int) -> DecCoin:
    """A decimal coin on the wire."""
    return DecCoin(denom=denom, amount=str(units))


def coin(denom: str, amount: int) -> Coin:
    """A whole coin on the wire."""
    return Coin(denom=denom, amount=str(amount))


def spelled(units: int) -> str:
    """A decimal with 18 places, as in events and errors."""
    sign, digits = ("-", -units) if units < 0 else ("", units)
    return f"{sign}{digits // ONE}.{digits % ONE:018d}"


def coins_text(coins: Iterable[Coin]) -> str:
    """`10000uve`, several joined by commas."""
    return ",".join(f"{coin.amount}{coin.denom}" for coin in coins)


def valid_denom(denom: str) -> bool:
    """Whether a denomination has the SDK's form."""
    return (
        3 <= len(denom) <= 128
        and denom[0].isascii()
        and denom[0].isalpha()
        and all(sign.isascii() and (sign.isalnum() or sign in "/:._-") for sign in denom)
    )
