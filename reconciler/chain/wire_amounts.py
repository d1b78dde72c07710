"""Amounts on the wire: a decimal is the integer times 10^18 (semantics 2)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

from reconciler.chain.proto.cosmos_coin_pb2 import Coin, DecCoin
from reconciler.values.money import DENOM, EXACT, RATE_PLACES


class Amount(Protocol):
    """A Coin, a DecCoin or a Balance."""

    @property
    def denom(self) -> str: ...
    @property
    def amount(self) -> str: ...


def decimal_of(text: str) -> Decimal:
    """The decimal that this integer times 10^18 stands for; nothing stands for 0."""
    whole, fraction = divmod(int(text or "0"), 10**RATE_PLACES)
    if fraction == 0:
        return Decimal(whole)
    return EXACT.normalize(EXACT.scaleb(Decimal(int(text)), -RATE_PLACES))


def decimal_text(number: Decimal) -> str:
    """The integer times 10^18; decimal.Inexact where the chain could not keep every digit."""
    return str(int(EXACT.to_integral_exact(EXACT.scaleb(number, RATE_PLACES))))


def dec_coin(number: Decimal) -> DecCoin:
    """A DecCoin of so many uve."""
    return DecCoin(denom=DENOM, amount=decimal_text(number))


def coin(amount: int) -> Coin:
    """A Coin of so many uve."""
    return Coin(denom=DENOM, amount=str(amount))


def whole_uve(coins: Iterable[Amount]) -> int:
    """The uve among coins whose amounts are whole; other denominations are none of our business."""
    return sum(int(each.amount or "0") for each in coins if each.denom == DENOM)


def exact_uve(coins: Iterable[Amount]) -> Decimal:
    """The uve among coins whose amounts are decimals."""
    return decimal_of(str(sum(int(each.amount or "0") for each in coins if each.denom == DENOM)))


def uve_in(text: str) -> int:
    """The uve in the text of an event, as in `9800uve` or `5uact,9800uve`; 0 where there is none."""
    return sum(
        int(part.removesuffix(DENOM))
        for part in text.split(",")
        if part.endswith(DENOM) and part.removesuffix(DENOM).isdecimal()
    )
