"""The chain's blocks, and an index of their transactions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.devnet.chain.call import ChainEventRecord
from reconciler.devnet.chain.execution import Outcome
from reconciler.devnet.chain.transactions import tx_hash


@dataclass(frozen=True, slots=True)
class Included:
    """A transaction in a block."""

    data: bytes
    height: int
    index: int
    outcome: Outcome

    @property
    def hash(self) -> str:
        """The transaction's hash."""
        return tx_hash(self.data)


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A block: its time, its transactions, and the events of its beginning and end."""

    height: int
    time_ns: int
    txs: tuple[Included, ...] = ()
    events: tuple[ChainEventRecord, ...] = ()

    @property
    def hash(self) -> bytes:
        """The simulator's own block hash; no header is hashed."""
        return hashlib.sha256(f"simulated block {self.height} {self.time_ns}".encode()).digest()

    @property
    def app_hash(self) -> bytes:
        """The simulator's own hash of the state after the block."""
        return hashlib.sha256(b"state after " + self.hash).digest()


class BlockLedger:
    """The last blocks, by height, and their transactions, by hash."""

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self._blocks: dict[int, StoredBlock] = {}
        self._txs: dict[str, Included] = {}
        self.first = 1

    def append(self, block: StoredBlock) -> None:
        """Add a block and drop the oldest above the limit."""
        self._blocks[block.height] = block
        self._txs.update((tx.hash, tx) for tx in block.txs)
        while len(self._blocks) > self.kept:
            for tx in self._blocks.pop(self.first).txs:
                self._txs.pop(tx.hash, None)
            self.first += 1

    def restore(self, blocks: Iterable[StoredBlock]) -> None:
        """Replace all blocks."""
        self._blocks = {block.height: block for block in blocks}
        self._txs = {tx.hash: tx for block in self for tx in block.txs}
        self.first = min(self._blocks, default=1)

    def block(self, height: int) -> StoredBlock | None:
        """The block at a height, or None."""
        return self._blocks.get(height)

    def find(self, name: str) -> Included | None:
        """A transaction by the upper-case hex of its hash."""
        return self._txs.get(name)

    def __iter__(self) -> Iterator[StoredBlock]:
        return iter(self._blocks.values())
