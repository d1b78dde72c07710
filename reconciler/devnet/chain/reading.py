"""The chain as its readers see it, which a fault may make late or wrong (semantics 10)."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.devnet.chain.blocks import BlockLedger, Included, StoredBlock
from reconciler.devnet.chain.faults import NodeFaults
from reconciler.devnet.chain.genesis import Genesis
from reconciler.devnet.chain.store import StateStore, View


class Reading:
    """The chain as its readers see it."""

    def __init__(self, store: StateStore, ledger: BlockLedger, genesis: Genesis, faults: NodeFaults) -> None:
        self._store = store
        self._ledger = ledger
        self.genesis = genesis
        self.faults = faults

    @property
    def height(self) -> int:
        """The newest height that is shown."""
        return max(self._store.height - self.faults.lag, min(self._store.height, 1))

    @property
    def first(self) -> int:
        """The oldest height whose block is kept."""
        return self._ledger.first

    @property
    def chain_id(self) -> str:
        """The chain id that the node reports."""
        return self.faults.shown_chain_id or self.genesis.chain_id

    @property
    def oldest(self) -> int:
        """The oldest height whose state can be queried."""
        return self._store.oldest

    def view(self, height: int = 0) -> View:
        """The state at a height; 0 is the newest one."""
        return self._store.at(height or self.height)

    def block(self, height: int) -> StoredBlock | None:
        """The block at a height, or None."""
        return self._ledger.block(height) if height <= self.height else None

    def find(self, name: str) -> Included | None:
        """A transaction by the upper-case hex of its hash."""
        found = self._ledger.find(name)
        return found if found and found.height <= self.height else None

    def __iter__(self) -> Iterator[StoredBlock]:
        height = self.height
        return (block for block in self._ledger if block.height <= height)
