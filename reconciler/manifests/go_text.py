"""Numbers and quotes as Go's strconv, math/big and cosmossdk.io/math read and write them."""

from __future__ import annotations

import re
from decimal import Decimal

from reconciler.manifests.errors import ManifestError

DECIMAL_PLACES = 18
"""Decimal places of the chain's decimals."""
_OVERFLOW = 1 << 63
"""On amd64, the conversion of a float that is no 64-bit integer."""
_DECIMAL_BITS_MAX = 316
_AMOUNT_BITS_MAX = 256
_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_ESCAPES |= {"\\": "\\\\", '"': '\\"'}
_FLOAT = re.compile(r"[+-]?(?:[0-9][0-9_]*+(?:\.[0-9_]*+)?|\.[0-9][0-9_]*+)(?:[eE][+-]?[0-9][0-9_]*+)?")
_HEX_FLOAT = re.compile(r"[+-]?0[xX](?=_?\.?[0-9a-fA-F])[0-9a-fA-F_]*+(?:\.[0-9a-fA-F_]*+)?[pP][+-]?[0-9]++")
_SPECIAL_FLOAT = re.compile(r"(?:[+-]?inf(?:inity)?|nan)", re.IGNORECASE)
_MISPLACED_UNDERSCORE = re.compile(r"(?<![0-9a-fA-FxXoObB])_|_(?![0-9a-fA-F])|(?<=[1-9][xXoObB])_")
_BASES = {
    "": (10, re.compile(r"[0-9]+(?:_[0-9]+)*")),
    "0": (8, re.compile(r"_?[0-7]+(?:_[0-7]+)*")),
    "0o": (8, re.compile(r"_?[0-7]+(?:_[0-7]+)*")),
    "0x": (16, re.compile(r"_?[0-9a-f]+(?:_[0-9a-f]+)*")),
    "0b": (2, re.compile(r"_?[01]+(?:_[01]+)*")),
}
"""Of an amount, by its prefix in lower case: the base, and the digits in lower case."""
_AMOUNT = re.compile(r"([+-]?)(0[xX]|0[oO]|0[bB]|0(?=[0-9_]))?([0-9a-fA-F_]+)")


def quoted(text: str) -> str:
    """The text in double quotes, as `%q` writes it."""
    return '"' + "".join(_quoted_character(character) for character in text) + '"'


def _quoted_character(character: str) -> str:
    if escape := _ESCAPES.get(character):
        return escape
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def unsigned(text: str, bits: int) -> int:
    """A decimal number of at most `bits` bits; ManifestError otherwise."""
    if not re.fullmatch(r"[0-9]+", text):
        raise ManifestError(f"strconv.ParseUint: parsing {quoted(text)}: invalid syntax")
    if len(text) > 40 or int(text) >= 1 << bits:
        raise ManifestError(f"strconv.ParseUint: parsing {quoted(text)}: value out of range")
    return int(text)


def floating(text: str) -> float:
    """A floating-point number in Go's syntax; ManifestError otherwise."""
    plain = text.replace("_", "")
    is_spaced = not _MISPLACED_UNDERSCORE.search(text)
    if _SPECIAL_FLOAT.fullmatch(text):
        return float(text)
    if is_spaced and _HEX_FLOAT.fullmatch(text):
        return _in_range(text, _hex_float(plain))
    if is_spaced and _FLOAT.fullmatch(text):
        return _in_range(text, float(plain))
    raise ManifestError(f"strconv.ParseFloat: parsing {quoted(text)}: invalid syntax")


def _hex_float(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return float("inf")


def _in_range(text: str, number: float) -> float:
    if number in (float("inf"), float("-inf")):
        raise ManifestError(f"strconv.ParseFloat: parsing {quoted(text)}: value out of range")
    return number


def float_to_uint64(number: float) -> int:
    """A non-negative float cut to 64 bits, as amd64 does."""
    return int(number) if 0 <= number < 2.0**64 else _OVERFLOW


def float_to_uint32(number: float) -> int:
    """A non-negative float cut to 32 bits, as amd64 does: the low bits of the 64-bit integer."""
    return int(number) & 0xFFFF_FFFF if 0 <= number < 2.0**63 else 0


def decimal(text: str) -> Decimal:
    """A decimal of the chain with at most 18 places and no exponent; ManifestError otherwise."""
    digits = text[1:] if text.startswith("-") else text
    if not digits:
        raise ManifestError("decimal string cannot be empty")
    parts = digits.split(".")
    if len(parts) > 2:
        raise ManifestError("invalid decimal string")
    places = parts[1] if len(parts) == 2 else ""
    if len(parts) == 2 and not (places and parts[0]):
        raise ManifestError("invalid decimal length")
    if len(places) > DECIMAL_PLACES:
        excess = f"exceeds max precision by {DECIMAL_PLACES - len(places)} decimal places"
        raise ManifestError(f"value '{digits}' {excess}: max precision {DECIMAL_PLACES}")
    combined = parts[0] + places + "0" * (DECIMAL_PLACES - len(places))
    if not re.fullmatch(r"[+-]?[0-9]+", combined):
        raise ManifestError(f"failed to set decimal string with base 10: {combined}")
    bits = int(combined).bit_length() if len(combined) < 1000 else len(combined) * 4
    if bits > _DECIMAL_BITS_MAX:
        limit = f"bitLen: got {bits}, max {_DECIMAL_BITS_MAX}"
        raise ManifestError(f"decimal '{digits}' out of range; {limit}")
    sign = "-" if text.startswith("-") and int(combined) > 0 else ""
    return Decimal(f"{sign}{combined}E-{DECIMAL_PLACES}")


def decimal_text(number: Decimal) -> str:
    """With all 18 places: `100.000000000000000000`."""
    return f"{number:.{DECIMAL_PLACES}f}"


def amount(text: str) -> int:
    """An integer in any base that Go reads (`0x1f4`, `0764`, `5_00`); ManifestError otherwise."""
    number = _amount(text)
    if number is None:
        raise ManifestError(f"math/big: cannot unmarshal {quoted(text)} into a *big.Int")
    if number.bit_length() > _AMOUNT_BITS_MAX:
        raise ManifestError(f"integer out of range: {text}")
    return number


def _amount(text: str) -> int | None:
    found = _AMOUNT.fullmatch(text)
    if found is None or len(text) > 4000:
        return None
    sign, prefix, digits = found.groups()
    base, allowed = _BASES[(prefix or "").lower()]
    if not allowed.fullmatch(digits.lower()):
        return None
    return int(sign + digits.replace("_", ""), base)
