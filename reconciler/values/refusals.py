"""What the chain's text of a refusal means; codes are often lost (semantics 3.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from reconciler.values.money import DENOM
from reconciler.values.outcomes import GAS_PRICE, Failed, Refused
from reconciler.values.text import one_line

_INDEX = re.compile(r"message index: (\d{1,9})")
_SEQUENCE = re.compile(r"account sequence mismatch, expected (\d{1,20}), got (\d{1,20})")
_NEEDED = re.compile(r"min gas prices (\d{1,30}(?:\.\d{1,18})?)" + DENOM)
_REQUIRED = re.compile(r"insufficient fees?; got: \S{0,200} required: (\d{1,30})" + DENOM)
_SHORTAGE = re.compile(r"out of gas in location: .{0,200}?; gasWanted: (\d{1,18}), gasUsed: (\d{1,18})")
_GAS = re.compile(r" with gas used: '\d{1,20}'")

WORDS_MAX = 1000
"""Longest error text of a node; the rest is dropped."""

GATED = ("MFA required", "VEID ", "MFA verification", "account does not have sufficient VEID")
"""Prefixes of refusals by the identity and multi-factor gates (semantics 1.5)."""

ADD_FUNDS = "add funds to the provider's account"
BALANCE = ("insufficient funds", "insufficient balance")
IN_CACHE = "tx already exists in cache"

PERMANENT = (
    "bid exists",
    "order closed",
    "order active",
    "order not found",
    "attribute mismatch",
    "capabilities mismatch",
    "unknown provider",
    "bid over order",
    "unknown bid",
    "lease not active",
    "payment closed",
)
"""Refusals for which a retry cannot succeed (semantics 3.3, 4.8). A refused settlement is not among them: the
next one of its order has other records.
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A parsed refusal: `index` of the rejected message, -1 if it names none."""

    words: str
    index: int = -1

    @property
    def permanent(self) -> bool:
        """The same message cannot succeed later."""
        return any(each in self.words for each in PERMANENT)

    @property
    def gated(self) -> bool:
        """Rejected by the identity or multi-factor gate: expected, and not caused by the message."""
        return self.words.startswith(GATED)

    @property
    def short_of_money(self) -> bool:
        """The account's balance is too low."""
        return any(each in self.words for each in BALANCE)

    @property
    def sequence(self) -> tuple[int, int] | None:
        """The expected and the given sequence, if they differ."""
        found = _SEQUENCE.search(self.words)
        return (int(found[1]), int(found[2])) if found else None

    @property
    def in_cache(self) -> bool:
        """The node already has this transaction."""
        return IN_CACHE in self.words

    @property
    def timed_out(self) -> bool:
        """The timeout height has passed."""
        return "tx timeout height" in self.words

    @property
    def out_of_gas(self) -> bool:
        """The gas limit was too low."""
        return self.words.startswith("out of gas")

    @property
    def outcome(self) -> Refused | Failed:
        """The outcome of each refused message: permanent or to be retried."""
        if _NEEDED.search(self.words) or _REQUIRED.search(self.words):
            return Failed(GAS_PRICE, self.words)
        kind = Refused if self.permanent else Failed
        return kind("ChainRefused", self.words, self._advice)

    @property
    def _advice(self) -> str:
        if self.gated:
            return "requires identity or multi-factor verification by the account owner"
        return ADD_FUNDS if self.short_of_money else ""

    @property
    def gas_shortage(self) -> Decimal | None:
        """The gas used per gas wanted of a refusal for want of gas; None for any other."""
        found = _SHORTAGE.search(self.words)
        return Decimal(found[2]) / int(found[1]) if found and int(found[1]) else None

    def gas_price_needed(self, gas_limit: int) -> Decimal | None:
        """The gas price in uve that the node requires, if the fee was too low (semantics 1.3)."""
        if found := _NEEDED.search(self.words):
            return Decimal(found[1]).normalize()
        if (found := _REQUIRED.search(self.words)) and gas_limit:
            return Decimal(found[1]) / gas_limit
        return None


def read_refusal(text: str) -> Refusal:
    """Parse a log or gRPC error message, without source locations, stack and preamble."""
    words = _without_location(first_line(text))
    found = _INDEX.search(words)
    if found is None:
        return Refusal(words)
    return Refusal(words[found.end() :].lstrip(": ") or words, int(found[1]))


def first_line(text: str) -> str:
    """The first line of an error text, without the stack trace below it; bounded and printable."""
    start = text[: 4 * WORDS_MAX].lstrip()
    return one_line(start.partition("\n")[0], WORDS_MAX)


def _without_location(words: str) -> str:
    """The text without the source location `[file:line]` at its end, which the used gas may follow."""
    place, mark, gas = words.rpartition("]")
    if not mark or (gas and not _GAS.fullmatch(gas)):
        return words
    start = place.find("[", place.rfind("]") + 1)
    return words if start < 0 else words[:start].rstrip()
