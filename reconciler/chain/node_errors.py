"""Errors of a node, and what the text of a refusal means: codes are often lost (semantics 3.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from reconciler.values.money import DENOM
from reconciler.values.text import SENTENCE_MAX, one_line

_INDEX = re.compile(r"message index: (\d{1,9})")
_SEQUENCE = re.compile(r"account sequence mismatch, expected (\d{1,20}), got (\d{1,20})")
_NEEDED = re.compile(r"min gas prices (\d{1,30}(?:\.\d{1,18})?)" + DENOM)
_REQUIRED = re.compile(r"insufficient fees?; got: \S{0,200} required: (\d{1,30})" + DENOM)
_GAS = re.compile(r" with gas used: '\d{1,20}'")

WORDS_MAX = 1000
"""Characters that are read of a node's words."""

GATE_WORDS = ("MFA required", "VEID ", "MFA verification", "account does not have sufficient VEID")
"""How refusals of the identity and multi-factor gates begin (semantics 1.5)."""

BALANCE_WORDS = ("insufficient funds", "insufficient balance")
IN_CACHE = "tx already exists in cache"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal, read: `index` of the message it is about, -1 where it names none."""

    words: str
    index: int = -1

    @property
    def gated(self) -> bool:
        """The identity or multi-factor gate said no: expected, and no fault of the message."""
        return self.words.startswith(GATE_WORDS)

    @property
    def short_of_money(self) -> bool:
        """The account cannot pay."""
        return any(each in self.words for each in BALANCE_WORDS)

    @property
    def sequence(self) -> tuple[int, int] | None:
        """The sequence expected and the one given, where they differ."""
        found = _SEQUENCE.search(self.words)
        return (int(found[1]), int(found[2])) if found else None

    @property
    def in_cache(self) -> bool:
        """The node has these bytes already."""
        return IN_CACHE in self.words

    @property
    def timed_out(self) -> bool:
        """The timeout height is past."""
        return "tx timeout height" in self.words

    @property
    def out_of_gas(self) -> bool:
        """The limit was too low."""
        return self.words.startswith("out of gas")

    def gas_price_needed(self, gas_limit: int) -> Decimal | None:
        """The gas price in uve that the node wants, where the fee was too low (semantics 1.3)."""
        if found := _NEEDED.search(self.words):
            return Decimal(found[1]).normalize()
        if (found := _REQUIRED.search(self.words)) and gas_limit:
            return Decimal(found[1]) / gas_limit
        return None


def read_refusal(text: str) -> Refusal:
    """Read a log, or the message of a gRPC error: without source places, stack and preamble."""
    words = _without_place(first_line(text))
    found = _INDEX.search(words)
    if found is None:
        return Refusal(words)
    return Refusal(words[found.end() :].lstrip(": ") or words, int(found[1]))


def first_line(text: str) -> str:
    """A node's words without the stack in the lines after them, bounded and clean."""
    start = text[: 4 * WORDS_MAX].lstrip()
    return one_line(start.partition("\n")[0], WORDS_MAX)


def _without_place(words: str) -> str:
    """The words without the source place `[file:line]` at their end, which the used gas may follow."""
    place, mark, gas = words.rpartition("]")
    if not mark or (gas and not _GAS.fullmatch(gas)):
        return words
    start = place.find("[", place.rfind("]") + 1)
    return words if start < 0 else words[:start].rstrip()


class NodeError(Exception):
    """The node could not be asked, or its answer cannot be used: nothing is known."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message, SENTENCE_MAX))


class NodeRefusedError(NodeError):
    """The node answered, and said no: `status` is gRPC's or JSON-RPC's word for it, `text` the node's own."""

    def __init__(self, asked: str, status: str, text: str) -> None:
        text = first_line(text)
        super().__init__(f"the node refused {asked}: {text or status}")
        self.status = status
        self.text = text


class HeightAheadError(NodeRefusedError):
    """The node does not have this height yet: its RPC, or a node beside it, is ahead of it."""


class TooLargeError(NodeError):
    """The answer is larger than is read: smaller parts may be had."""


class ListTooLongError(NodeError):
    """A list has more pages or bytes than are read; what came before its end is a part of it."""


_AHEAD = ("height in the future", "must be less than or equal to the current blockchain height")
"""How gRPC and RPC refuse a height that is not made yet (semantics 2.2, 8)."""


def refused(asked: str, status: str, text: str) -> NodeRefusedError:
    """The error for a node's refusal."""
    kind = HeightAheadError if any(words in text for words in _AHEAD) else NodeRefusedError
    return kind(asked, status, text)
