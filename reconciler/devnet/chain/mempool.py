"""Transactions that passed the check and wait for a block, and bytes that were seen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.devnet.chain.transactions import Transaction

_SEEN = 10_000
MOST_BYTES = 2**20


class SeenBeforeError(Exception):
    """The same bytes are waiting, or went into a block (semantics 1.2)."""


class TxTooLargeError(Exception):
    """More bytes than a transaction may have."""

    def __init__(self, size: int) -> None:
        super().__init__(f"Tx too large. Max size is {MOST_BYTES}, but got {size}")


@dataclass(frozen=True, slots=True)
class CheckedTx:
    """What a node answers to a transaction that was sent to it."""

    hash: str
    code: int = 0
    codespace: str = ""
    log: str = ""


class Mempool:
    """First in, first out; the same bytes are taken once."""

    def __init__(self) -> None:
        self.waiting: OrderedDict[str, Transaction] = OrderedDict()
        self._seen: OrderedDict[str, None] = OrderedDict()

    @property
    def seen(self) -> tuple[str, ...]:
        """The names of the bytes that will not be taken again, the oldest first."""
        return tuple(self._seen)

    def remember(self, names: Iterable[str]) -> None:
        """Take these bytes no more."""
        self._seen.update(dict.fromkeys(names))

    def has_seen(self, name: str) -> bool:
        """Whether these bytes are waiting, or went into a block and succeeded."""
        return name in self._seen

    def add(self, tx: Transaction) -> None:
        """Let a checked transaction wait."""
        self.waiting[tx.hash] = tx
        self._seen[tx.hash] = None
        while len(self._seen) > _SEEN:
            self._seen.popitem(last=False)

    def take(self, wanted: list[str] | None = None) -> list[Transaction]:
        """Take out what goes into the next block: all, or those named, in their order."""
        names = list(self.waiting) if wanted is None else wanted
        return [self.waiting.pop(name) for name in names if name in self.waiting]

    def forget(self, name: str) -> None:
        """A transaction failed: its bytes may come again."""
        self._seen.pop(name, None)
        self.waiting.pop(name, None)
