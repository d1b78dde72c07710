"""Money: whole `uve` as int, rates per block as Decimal; never float."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, Inexact

DENOM = "uve"
"""The only denomination that this program offers, accepts or pays (semantics 1.1)."""

UVE_IN_VE = 1_000_000
"""`uve` in one VE, the unit that people see (semantics 1.1)."""

RATE_PLACES = 18
"""Decimals that the chain keeps of a price per block (semantics 2)."""

EXACT = Context(prec=80, traps=[Inexact])
"""Decimal arithmetic that raises on rounding; amounts on the chain have far fewer digits."""

FIAT = (
    "aud",
    "brl",
    "cad",
    "chf",
    "cny",
    "eur",
    "gbp",
    "inr",
    "jpy",
    "krw",
    "nok",
    "pln",
    "sek",
    "sgd",
    "usd",
)
"""Currencies in which prices may be written; the host file's rate converts them to uve."""

_AMOUNT = re.compile(r"(?P<number>[0-9]{1,30}(?:\.[0-9]{1,18})?)(?P<denom>[a-zA-Z][a-zA-Z0-9/:._-]*)?")

_WHOLE_IN_TEXT = re.compile(r"(?<![\w.,])[0-9]{4,30}(?=(?:\.[0-9]{1,18})?uve\b)")


def parse_rate(text: str) -> Decimal:
    """Read `0.000001uve` as a Decimal in uve; ValueError says what to write instead."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not an amount; write a decimal number and {DENOM}, such as 0.5{DENOM}")
    if match["denom"] is None:
        raise ValueError(f"{text!r} has no denomination; write {match['number']}{DENOM}")
    if match["denom"] != DENOM:
        raise ValueError(f"{text!r} is in {match['denom']}; only {DENOM} is accepted, convert to {DENOM}")
    return Decimal(match["number"])


def parse_price(text: str) -> tuple[Decimal, str]:
    """Read `0.000001uve` or `0.05 usd` as a Decimal and its currency; ValueError says what to write."""
    number, currency = text[:-3].strip(), text[-3:]
    if currency in FIAT and (match := _AMOUNT.fullmatch(number)) and match["denom"] is None:
        return Decimal(number), currency
    return parse_rate(text), DENOM


def show_rate(rate: Decimal) -> str:
    """`0.5uve`: plain digits, no exponent, no trailing zeros."""
    return f"{plain(rate)}{DENOM}"


def plain(number: Decimal) -> str:
    """A Decimal in plain digits, without an exponent or trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def normalized(number: Decimal) -> Decimal:
    """The number without an exponent or trailing zeros, so that its JSON is plain digits."""
    return Decimal(plain(number))


def grouped(number: Decimal) -> str:
    """Plain digits with thousands separators: `1,234.5`."""
    whole, point, rest = plain(number).partition(".")
    return f"{int(whole):,}{point}{rest}" if whole not in ("-0", "") else plain(number)


def amount_text(amount: Decimal | int) -> str:
    """An amount for people, exact: `12,345uve`, and from a million on in VE: `12.345678 VE`."""
    number = Decimal(amount)
    if abs(number) < UVE_IN_VE:
        return f"{grouped(number)}{DENOM}"
    return f"{grouped(number / UVE_IN_VE)} VE"


def group_amounts(text: str) -> str:
    """A sentence with thousands separators in its amounts: `12699uve` becomes `12,699uve`."""
    return _WHOLE_IN_TEXT.sub(lambda found: f"{int(found[0]):,}", text)


def ceil_uve(amount: Decimal) -> int:
    """Whole uve, rounded up: prices are rounded once, last, in our favour."""
    return int(amount.to_integral_value(rounding=ROUND_CEILING))


def floor_uve(amount: Decimal) -> int:
    """Whole uve, rounded down, as the chain truncates (semantics 4.2)."""
    return int(amount.to_integral_value(rounding=ROUND_FLOOR))


def accrued(rate: Decimal, blocks: int) -> int:
    """trunc(rate x blocks): the amount in uve that one settlement moves to a payment (semantics 4.2)."""
    parts, whole = rate.as_integer_ratio()
    return parts * blocks // whole


def take_fee(gross: int, percent: int) -> int:
    """The chain's cut of a payout, truncated, in uve (semantics 4.3)."""
    return gross * percent // 100


def after_take(gross: int, percent: int) -> int:
    """The net of a payout of `gross` uve after the take fee (semantics 4.3)."""
    return gross - take_fee(gross, percent)


def fee_of(gas: int, gas_price: Decimal) -> int:
    """The fee for a gas limit at a price in uve, rounded up so that the node accepts it (semantics 1.3)."""
    return ceil_uve(gas * gas_price)
