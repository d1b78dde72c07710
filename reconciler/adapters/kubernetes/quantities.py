"""Kubernetes resource quantities as exact numbers, and in the canonical spelling of an API server."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

from reconciler.values.text import one_line

SHOWN_MAX = 60
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_FORM = re.compile(
    r"([+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40}))"
    r"(?:([eE][+-]?[0-9]{1,2})|([KMGTPE]i|[numkMGTPE])?)"
)
"""Bounded: Kubernetes stores less than 2^63, and a ten-digit exponent is a number of gigabytes."""


def parse_quantity(text: str) -> Decimal:
    """The exact value, in units (cores, bytes, count); ValueError for text that is no quantity."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{one_line(text, SHOWN_MAX)!r} is not a Kubernetes quantity; write one such as 500m, 2 or 1536Mi"
        )
    number, exponent, suffix = match.groups()
    if exponent:
        return Decimal(number + exponent)
    if suffix in _BINARY:
        return Decimal(number) * Decimal(1024) ** _BINARY[suffix]
    return Decimal(number).scaleb(_DECIMAL[suffix or ""])


def milli(text: str) -> int:
    """Thousandths, rounded up as the scheduler does."""
    return _ceiling(parse_quantity(text) * 1000)


def whole(text: str) -> int:
    """Whole units (bytes, count), rounded up."""
    return _ceiling(parse_quantity(text))


def canonical(text: str) -> str:
    """The spelling that an API server stores: 1000m is 1, 1024Mi is 1Gi, 2000 is 2k."""
    value = parse_quantity(text)
    if text.strip().endswith("i"):
        return _largest(
            _ceiling(value), [("", 1), *((suffix, 1024**power) for suffix, power in _BINARY.items())]
        )
    steps = [(suffix, 10 ** (power + 9)) for suffix, power in _DECIMAL.items()]
    return _largest(_ceiling(value.scaleb(9)), steps)


def cpu_quantity(cpu_milli: int) -> str:
    """Millicores in canonical spelling."""
    return canonical(f"{cpu_milli}m")


def count_quantity(count: int) -> str:
    """Bytes or a count in canonical decimal spelling."""
    return canonical(str(count))


def bytes_quantity(size_bytes: int) -> str:
    """Bytes in canonical spelling, in powers of 1024 if the size is divisible by 1024."""
    if size_bytes % 1024:
        return count_quantity(size_bytes)
    return canonical(f"{size_bytes // 1024}Ki")


def _ceiling(value: Decimal) -> int:
    return int(value.to_integral_value(rounding=ROUND_CEILING))


def _largest(value: int, steps: list[tuple[str, int]]) -> str:
    """The value in the largest unit that divides it."""
    if value == 0:
        return "0"
    for suffix, size in reversed(steps):
        if value % size == 0:
            return f"{value // size}{suffix}"
    raise AssertionError("the smallest unit divides every whole value")
