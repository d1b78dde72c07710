"""The mempool: checked transactions, seen hashes, and the rate limit (semantics 1.5)."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.devnet.chain.errors import TxRefusedError
from reconciler.devnet.chain.transactions import Transaction

PER_ACCOUNT = 10
PER_BLOCK = 5000


class RateLimit:
    """Counts transactions of an account and of a block, for checks and blocks together."""

    def __init__(self) -> None:
        self.enabled = True
        self._height = -1
        self._total = 0
        self._accounts: Counter[str] = Counter()

    def count(self, height: int, signers: list[str]) -> None:
        """Count a transaction at a height; `ratelimit/1` or `ratelimit/3` once the limit is reached."""
        if not self.enabled:
            return
        if height != self._height:
            self._height, self._total = height, 0
            self._accounts.clear()
        if self._total >= PER_BLOCK:
            raise TxRefusedError(
                "ratelimit",
                3,
                f"block has {self._total} transactions, limit is {PER_BLOCK}: block rate limited",
            )
        for signer in signers:
            if self._accounts[signer] >= PER_ACCOUNT:
                raise TxRefusedError(
                    "ratelimit",
                    1,
                    f"account {signer} has {self._accounts[signer]} transactions in this block, "
                    f"limit is {PER_ACCOUNT}: account rate limited: too many transactions in this block",
                )
        self._total += 1
        self._accounts.update(signers)


_SEEN = 10_000
MOST_BYTES = 2**20


class SeenBeforeError(Exception):
    """The same bytes are in the mempool or in a block (semantics 1.2)."""


class TxTooLargeError(Exception):
    """The transaction has too many bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"Tx too large. Max size is {MOST_BYTES}, but got {size}")


@dataclass(frozen=True, slots=True)
class CheckedTx:
    """The node's answer to a broadcast."""

    hash: str
    code: int = 0
    codespace: str = ""
    log: str = ""


class Mempool:
    """First in, first out; the same bytes are accepted once."""

    def __init__(self) -> None:
        self.waiting: OrderedDict[str, Transaction] = OrderedDict()
        self._seen: OrderedDict[str, None] = OrderedDict()

    @property
    def seen(self) -> tuple[str, ...]:
        """The hashes of transactions that are not accepted again, the oldest first."""
        return tuple(self._seen)

    def remember(self, names: Iterable[str]) -> None:
        """Do not accept these hashes again."""
        self._seen.update(dict.fromkeys(names))

    def has_seen(self, name: str) -> bool:
        """Whether the transaction is in the mempool, or succeeded in a block."""
        return name in self._seen

    def add(self, tx: Transaction) -> None:
        """Add a checked transaction."""
        self.waiting[tx.hash] = tx
        self._seen[tx.hash] = None
        while len(self._seen) > _SEEN:
            self._seen.popitem(last=False)

    def take(self, wanted: list[str] | None = None) -> list[Transaction]:
        """Remove the next block's transactions: all, or the named ones in their order."""
        names = list(self.waiting) if wanted is None else wanted
        return [self.waiting.pop(name) for name in names if name in self.waiting]

    def forget(self, name: str) -> None:
        """Remove a failed transaction, whose bytes may be sent again."""
        self._seen.pop(name, None)
        self.waiting.pop(name, None)
