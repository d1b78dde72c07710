"""Unquoted YAML scalars: YAML 1.2 where all readers agree; others are rejected with the advice to quote."""

import re
from decimal import Decimal

Scalar = str | int | Decimal | bool | None

NUMBER_LENGTH_MAX = 64
"""Longest accepted number; a price or a quantity needs a third of it."""

ODD_SPACES = "\u00a0\u00ad\u1680\u2000-\u200d\u202f\u205f\u2060\u3000"
"""Spaces that look like the usual one, and characters of no width: a range for patterns."""

_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_SWITCH_WORDS = frozenset(
    spelling
    for word in ("y", "n", "yes", "no", "on", "off")
    for spelling in (word, word.title(), word.upper())
)
_TRUE_WORDS = ("y", "yes", "on")
_SHOWN_MAX = 40
_SAME_NUMBER = re.compile(r"[-+]?(?:[1-9][0-9_]*|0)?(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]{1,3})?(?<=[0-9.])")
"""Decimal numbers without a leading zero."""
_WHOLE = re.compile(r"0|-?[1-9][0-9]*")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_MAYBE_NUMBER = re.compile(r"[-+.0-9]")

# Text that some YAML reader takes for a number, a date or a time, with the explanation.
_DOUBTFUL: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"),
        "some YAML readers interpret it as a time",
    ),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?"), "some YAML readers interpret it as a date"),
    (re.compile(r"[-+]?0[xX][0-9a-fA-F_]+"), "some YAML readers interpret it as a hexadecimal number"),
    (re.compile(r"[-+]?0[oO]?[0-9_]+"), "some YAML readers interpret it as an octal number"),
    (re.compile(r"[-+]?0b[01_]+"), "some YAML readers interpret it as a binary number"),
    (re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"), "it is not a finite number"),
    (
        re.compile(r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)[eE][-+]?[0-9]+"),
        "some YAML readers interpret it as a power of ten",
    ),
    (
        re.compile(r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)"),
        "YAML readers disagree on this number",
    ),
)


class DoubtfulScalarError(ValueError):
    """An unquoted scalar on which YAML readers disagree; carries the reason and the advice."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(f"{message} ({advice})")
        self.message = message
        self.advice = advice


def plain_scalar(text: str) -> Scalar:
    """The value of an unquoted scalar; numbers are int or Decimal, never float.

    DoubtfulScalarError if YAML 1.1 and 1.2 disagree (`NO`, `010`, `12:30`, `1_000`).
    """
    if text in _WORDS:
        return _WORDS[text]
    if text in _SWITCH_WORDS:
        meant = "true" if text.lower() in _TRUE_WORDS else "false"
        raise _doubtful(text, "some YAML readers interpret it as true or false", meant)
    if text in ("=", "<<"):
        raise _doubtful(text, "it has a special meaning in some YAML readers")
    if not _MAYBE_NUMBER.match(text):
        return text
    return _number_or_text(text)


def _number_or_text(text: str) -> Scalar:
    is_whole = _WHOLE.fullmatch(text) is not None
    if is_whole or _DECIMAL.fullmatch(text):
        if len(text) > NUMBER_LENGTH_MAX:
            raise DoubtfulScalarError(
                f"the number has {len(text)} characters", f"use at most {NUMBER_LENGTH_MAX}"
            )
        return int(text) if is_whole else Decimal(text)
    for pattern, why in _DOUBTFUL:
        if pattern.fullmatch(text):
            raise _doubtful(text, why, _decimal(text) or "a plain decimal number")
    return text


def _decimal(text: str) -> str:
    """The number in plain decimal digits; "" if readers may take it for different numbers."""
    if len(text) > _SHOWN_MAX or not _SAME_NUMBER.fullmatch(text):
        return ""
    number = Decimal(text.replace("_", ""))
    if not number:
        return "0"
    return format(number, "f") if abs(number.adjusted()) < _SHOWN_MAX else ""


def _doubtful(text: str, why: str, number_or_switch: str = "") -> DoubtfulScalarError:
    shown = text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "..."
    advice = f'write {number_or_switch}, or "{shown}" for a text' if number_or_switch else f'write "{shown}"'
    return DoubtfulScalarError(f"{shown} without quotes: {why}", advice)
