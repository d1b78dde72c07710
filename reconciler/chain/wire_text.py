"""Texts that anybody can put on the chain, bounded and clean where they are decoded."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from reconciler.values.text import printable

TEXT_MAX = 256
"""Characters of an address, an id, a name, an attribute's key or value; what has a use is shorter."""

TEXTS_MAX = 200
"""Texts of one list, such as an order's attributes."""

CUT = "..."


def text_of(text: str) -> str:
    """The text, bounded and clean; a text that changes never equals one that was clean from the start, so
    matching and comparing stay right.
    """
    return printable(text, TEXT_MAX)


def texts_of(texts: Iterable[str]) -> frozenset[str]:
    """A list of texts; one that was cut holds `...`, which nothing satisfies."""
    found = list(islice(texts, TEXTS_MAX + 1))
    kept = frozenset(text_of(each) for each in found[:TEXTS_MAX])
    return kept | {CUT} if len(found) > TEXTS_MAX else kept
