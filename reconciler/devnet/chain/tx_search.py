"""CometBFT's query language over the transactions of the stored blocks (semantics 8)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.devnet.chain.blocks import Included, StoredBlock
from reconciler.devnet.chain.errors import plain

_LONGEST = 512
_CONDITION = re.compile(
    r"\s*(?P<tag>[\w./-]+)\s*(?:(?P<exists>EXISTS)|(?P<sign><=|>=|=|<|>|CONTAINS)\s*"
    r"(?:'(?P<text>[^']*)'|(?P<number>-?\d+(?:\.\d+)?)))\s*"
)
_JOINT = re.compile(r"AND\b")


@dataclass(frozen=True, slots=True)
class SearchCondition:
    """One condition on the values of a tag."""

    tag: str
    sign: str
    value: str

    def holds(self, values: Iterable[str]) -> bool:
        """Whether one of the tag's values matches."""
        return any(self._fits(value) for value in values)

    def _fits(self, value: str) -> bool:
        if self.sign == "EXISTS":
            return True
        if self.sign == "CONTAINS":
            return self.value in value
        if self.sign == "=":
            return self.value == value
        if not re.fullmatch(r"-?\d+", value):
            return False
        left, right = int(value), float(self.value)
        return {"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[self.sign]


def parse(query: str) -> list[SearchCondition]:
    """Conditions joined by AND; an error names the position as the node does."""
    conditions: list[SearchCondition] = []
    place = 0
    while True:
        match = _CONDITION.match(query, place)
        if match is None or len(query) > _LONGEST:
            raise plain(f"offset {place}: got invalid, want tag")
        sign = "EXISTS" if match["exists"] else match["sign"]
        conditions.append(SearchCondition(match["tag"], sign, match["text"] or match["number"] or ""))
        place = match.end()
        if place == len(query):
            return conditions
        joint = _JOINT.match(query, place)
        if joint is None:
            raise plain(f"offset {place}: got tag, want 6")
        place = joint.end()


def search(blocks: Iterable[StoredBlock], query: str) -> list[Included]:
    """The matching transactions, in the order of the blocks."""
    conditions = parse(query)
    return [tx for block in blocks for tx in block.txs if matches(conditions, tags(tx))]


def matches(conditions: Iterable[SearchCondition], values: dict[str, list[str]]) -> bool:
    """Whether all conditions hold."""
    return all(condition.holds(values.get(condition.tag, ())) for condition in conditions)


def tags(tx: Included) -> dict[str, list[str]]:
    """Every `type.key` of a transaction's events with its values; events without a type are not indexed."""
    found: dict[str, list[str]] = {"tx.hash": [tx.hash], "tx.height": [str(tx.height)]}
    for event in tx.outcome.events:
        for key, value in event.attributes if event.kind else ():
            found.setdefault(f"{event.kind}.{key}", []).append(value)
    return found
