"""Blocks in order from a cursor: the objects they changed, and the results of our transactions."""

from __future__ import annotations

import logging
from collections import deque
from decimal import Decimal
from time import monotonic

from reconciler.chain.block_changes import BlockChanges, needs_transactions
from reconciler.chain.node_errors import HeightAheadError, NodeError, NodeRefusedError, TooLargeError
from reconciler.chain.rpc import SEARCH_ROWS, BlockResults, Rpc, TxOutcome
from reconciler.chain.transactions import hash_of
from reconciler.values.observed import Transfer, TxResult

log = logging.getLogger(__name__)

CATCH_UP_MAX = 500
"""Longest gap that is read block by block; beyond it a full view is cheaper."""

CATCH_UP_SECONDS = 30
CHANGES_MAX = 2_000
"""Changed objects above which a full view is cheaper than a query for each."""

SEARCH_PAGES_MAX = 20
"""Pages of our transactions that are read after a gap; a month of a busy provider has about as many."""

MEASURED_BLOCKS = 360
"""Blocks over which their interval is measured, half an hour at 5 s: a halt of 3 min changes it by 10 %."""
FIRST_MEASURE_BLOCKS = (MEASURED_BLOCKS, 20)
"""How far back the first block is read, the first of these that the node still has."""
MEASURES = 60
"""Heights in those blocks whose times are kept."""
TIMEOUT_BLOCKS_MAX = 25
"""Blocks until an own transaction expires, with some margin."""

BLOCK_SECONDS_UNMEASURED = Decimal(5)
"""The chain's default (semantics 1.3), used until two blocks have been seen."""


class BlockReader:
    """Reads blocks of a chain for one account."""

    def __init__(self, rpc: Rpc, address: str) -> None:
        self._rpc = rpc
        self._address = address
        self._moments: deque[tuple[int, float]] = deque(maxlen=MEASURES + 1)
        self._keeps_results = False

    def read(self, after: int, height: int) -> BlockChanges | None:
        """Changes of the blocks `after`+1 to `height`; None if they cannot be read.

        HeightAheadError if the node does not have the newest block yet.
        """
        if not 0 <= height - after <= CATCH_UP_MAX:
            return None
        changes, until = BlockChanges(self._address), monotonic() + CATCH_UP_SECONDS
        try:
            for each in range(after + 1, height + 1):
                self._add(changes, each)
                if changes.size > CHANGES_MAX or monotonic() > until:
                    log.info(
                        "blocks %d to %d changed %d objects; reading a full view", after, each, changes.size
                    )
                    return None
        except HeightAheadError:
            raise
        except TooLargeError as error:
            log.info("block %d is too large; reading a full view: %s", each, error)
            return None
        except NodeRefusedError as error:
            if each == height and self._keeps_results:
                # the block is stored before it is executed: its results follow
                raise HeightAheadError("block_results", error.status, error.text) from error
            log.info("blocks after %d cannot be read; reading a full view: %s", after, error)
            return None
        return changes

    def find(self, hashes: set[str], height: int) -> dict[str, TxResult]:
        """Results of those of these transactions in the last blocks up to `height`, which an index may not
        have yet.
        """
        results: dict[str, TxResult] = {}
        for each in range(max(height - TIMEOUT_BLOCKS_MAX, 0) + 1, height + 1):
            try:
                txs = self._rpc.block(each).txs
            except HeightAheadError:
                raise
            except NodeRefusedError:
                continue  # below the node's first block
            wanted = [place for place, raw in enumerate(txs) if hash_of(raw) in hashes]
            if wanted:
                block = self._rpc.block_results(each)
                results |= {hash_of(txs[place]): _result(block, place, txs[place]) for place in wanted}
        return results

    def search_transfers(self, after: int, height: int) -> tuple[Transfer, ...] | None:
        """Transfers to and from our account in transactions of the blocks `after`+1 to `height`, from the
        node's index; None if they are too many or the node does not have them.
        """
        found: dict[str, tuple[int, TxOutcome]] = {}
        until = monotonic() + CATCH_UP_SECONDS
        try:
            for role in ("recipient", "sender"):
                query = f"transfer.{role}='{self._address}' AND tx.height>{after}"
                page, rows = 0, SEARCH_ROWS
                while rows == SEARCH_ROWS:
                    if page == SEARCH_PAGES_MAX or monotonic() > until:
                        raise NodeError(f"they are in more than {page * SEARCH_ROWS} transactions")
                    page += 1
                    result = self._rpc.search(query, page)
                    rows = len(result) if all(at <= height for _, at, _ in result) else 0
                    found |= {name: (at, outcome) for name, at, outcome in result if at <= height}
            changes = BlockChanges(self._address)
            for name, (at, outcome) in sorted(found.items(), key=lambda each: each[1][0]):
                changes.add_events(outcome.events, at, name)
        except (NodeError, ValueError) as error:
            log.warning(
                "transfers of blocks %d to %d are unknown; what the wallet gained in them is unexplained: %s",
                after + 1,
                height,
                error,
            )
            return None
        return tuple(changes.transfers)

    def block_seconds(self, height: int, time: float) -> Decimal:
        """Seconds between blocks, measured from the headers of the last MEASURED_BLOCKS."""
        while self._moments and self._moments[-1][0] > height:
            self._moments.pop()
        if not self._moments and height > 2:
            self._read_first_moment(height)
        low, start = self._moments[0] if self._moments else (height, time)
        if not self._moments or self._moments[-1][0] + MEASURED_BLOCKS // MEASURES <= height:
            self._moments.append((height, time))
        if height == low or time <= start:
            return BLOCK_SECONDS_UNMEASURED
        return Decimal(str(round((time - start) / (height - low), 3))).max(Decimal("0.001"))

    def _read_first_moment(self, height: int) -> None:
        for back in FIRST_MEASURE_BLOCKS:
            first = max(height - back, min(2, height))  # the time of block 1 is that of the genesis
            try:
                self._moments.append((first, self._rpc.block(first).time))
                return
            except NodeRefusedError:
                log.info("block %d is pruned; measuring the block time from a later one", first)

    def _add(self, changes: BlockChanges, height: int) -> None:
        results = self._rpc.block_results(height)
        self._keeps_results = True
        txs = self._rpc.block(height).txs if needs_transactions(results, self._address) else ()
        changes.add_block(results, txs)


def _result(results: BlockResults, place: int, raw: bytes) -> TxResult:
    return results.txs[place].result(hash_of(raw), results.height)
