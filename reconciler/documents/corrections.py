"""Invalid texts of amounts, quantities and margins: the fault, and the text that was probably meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from reconciler.documents.forms import AMOUNT, CPU, LIST_PRICE, MARGIN, PRICE, SIZE, TextForm
from reconciler.documents.yaml_scalars import ODD_SPACES
from reconciler.values.money import DENOM, UVE_IN_VE, plain

TEXT_MAX = 40
"""Longest text that is corrected."""
BINARY_UNITS = ("", "Ki", "Mi", "Gi", "Ti")


class Correction(NamedTuple):
    """What is wrong with a text, after "it ...", and the valid text that was probably meant."""

    fault: str
    text: str
    is_certain: bool


class _Rule(NamedTuple):
    """Texts that a pattern finds have a fault, and are rewritten."""

    pattern: re.Pattern[str]
    fault: str
    rewrite: Callable[[re.Match[str]], str]
    is_certain: bool


def correction_of(text: str, form: TextForm) -> Correction | None:
    """The correction of a text that does not match its form; None if none is obvious. Of several faults, the
    last one found is the most specific.
    """
    if len(text) > TEXT_MAX or not (rules := _RULES.get(form.pattern)):
        return None
    fault, found, is_certain = "", text, True
    for rule in (*_OF_CHARACTERS, *rules):
        rewritten = rule.pattern.sub(rule.rewrite, found)
        if rewritten != found:
            fault, found, is_certain = rule.fault, rewritten, is_certain and rule.is_certain
        if fault and re.search(form.pattern, found):
            return Correction(fault, found, is_certain)
    return None


def _rule(pattern: str, fault: str, rewrite: Callable[[re.Match[str]], str] | str) -> _Rule:
    replace = rewrite if callable(rewrite) else lambda match: match.expand(rewrite)
    return _Rule(re.compile(pattern), fault, replace, is_certain=True)


def _guess(pattern: str, fault: str, rewrite: Callable[[re.Match[str]], str] | str) -> _Rule:
    """A rule whose text may have meant something else."""
    return _rule(pattern, fault, rewrite)._replace(is_certain=False)


def _without_exponent(match: re.Match[str]) -> str:
    power = int(match[2])
    return plain(Decimal(match[1]).scaleb(power)) if abs(power) <= TEXT_MAX else match[0]


def _of_ve(match: re.Match[str]) -> str:
    return f"{plain(Decimal(match[1]) * UVE_IN_VE)}{DENOM}"


def _of_percent(match: re.Match[str]) -> str:
    return plain(Decimal(match[1]) / 100)


def _millicores(match: re.Match[str]) -> str:
    milli = Decimal(match[1]) * 1000
    return f"{plain(milli)}m" if milli == milli.to_integral_value() else match[0]


def _whole_size(match: re.Match[str]) -> str:
    """`0.5Gi` as `512Mi`."""
    number, index = Decimal(match[1]), BINARY_UNITS.index(match[2])
    while index and number != number.to_integral_value():
        number, index = number * 1024, index - 1
    return f"{plain(number)}{BINARY_UNITS[index]}"


def _binary_unit(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2].upper()}i"


_SEPARATORS: Sequence[_Rule] = (
    _guess(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))", "has a thousands separator", ""),
    _guess(r"(?<=[0-9])\.(?=[0-9]{3}[.,])", "has a thousands separator", ""),
    _rule(r"(?<=[0-9])[_'](?=[0-9])", "has a thousands separator", ""),
    _guess(r"(?<=[0-9]),(?=[0-9])", "has a decimal comma", "."),
)
_POINTS: Sequence[_Rule] = (
    _rule(r"(?<![0-9])\.(?=[0-9])", "has no digit before the point", "0."),
    _rule(r"(?<=[0-9])\.(?![0-9])", "has no digit after the point", ""),
)
_NUMBERS: Sequence[_Rule] = (
    *_SEPARATORS,
    *_POINTS,
    _rule(r"^([0-9]+(?:\.[0-9]+)?)[eE]([-+]?[0-9]{1,2})", "has an exponent", _without_exponent),
)
_OF_CHARACTERS: Sequence[_Rule] = (
    _rule(f"[{ODD_SPACES}]", "contains an invisible character or a non-breaking space", ""),
    _guess(
        "[^\x00-\x7f]",
        "contains characters that only look like ASCII",
        lambda match: unicodedata.normalize("NFKC", match[0]),
    ),
    _rule(r"[ \t]", "contains a space", ""),
    _rule(r"^\+", "has a plus sign", ""),
)
_MONEY: Sequence[_Rule] = (
    *_NUMBERS,
    _rule(r"(?i)(?<=[0-9])(uve)?(/|per)block$", "names the block, although every price is per block", r"\1"),
    _rule(r"(?<=[0-9])(?!uve$)[uU][vV][eE]$", "does not write uve in lower case", DENOM),
    _guess(r"^([0-9]+(?:\.[0-9]+)?)(?:VE|ve)$", f"is in VE, which is {UVE_IN_VE:,}{DENOM}", _of_ve),
    _guess(r"^(?:\$([0-9.]+)|([0-9.]+)\$)$", "has a currency sign", r"\1\2 usd"),
    _guess("^(?:\u20ac([0-9.]+)|([0-9.]+)\u20ac)$", "has a currency sign", r"\1\2 eur"),
    _guess(r"^([0-9]+(?:\.[0-9]+)?)$", "has no denomination", rf"\1{DENOM}"),
)
_SIZES: Sequence[_Rule] = (
    *_NUMBERS,
    _rule(r"(?<=[0-9])([kKmMgGtT]i?)[bB]$", "names bytes, which its unit does by itself", r"\1"),
    _rule(r"^([0-9.]+)([kKmMgGtT])(?:i|)$", "does not have one of the units Ki, Mi, Gi and Ti", _binary_unit),
    _rule(r"^([0-9]+\.[0-9]+)([KMGT]i)$", "has a fraction", _whole_size),
)
_CPUS: Sequence[_Rule] = (
    *_NUMBERS,
    _rule(r"(?i)(?<=[0-9])(m?)(cpus?|cores?)$", "names cores, which its unit does by itself", r"\1"),
    _rule(r"(?<=[0-9])M$", "has the unit M instead of m", "m"),
    _rule(r"^([0-9]+\.[0-9]+)$", "has a fraction", _millicores),
    _guess(r"^([0-9]{5,7})$", "is too large for whole cores", r"\1m"),
)
_MARGINS: Sequence[_Rule] = (
    *_NUMBERS,
    _rule(r"^([0-9]+(?:\.[0-9]+)?)%$", "is in percent", _of_percent),
    _guess(r"^-(?=[0-9])", "is negative", ""),
)
_RULES = {
    PRICE.pattern: _MONEY,
    LIST_PRICE.pattern: _MONEY,
    AMOUNT.pattern: _MONEY,
    SIZE.pattern: _SIZES,
    CPU.pattern: _CPUS,
    MARGIN.pattern: _MARGINS,
}
"""By pattern of the form."""
