"""Blocks read in order from a cursor: what they touched, and what they made of our transactions."""

from __future__ import annotations

import logging
from collections import deque
from decimal import Decimal
from time import monotonic

from reconciler.chain.block_changes import BlockChanges, needs_transactions
from reconciler.chain.node_errors import HeightAheadError, NodeRefusedError, TooLargeError
from reconciler.chain.rpc import BlockResults, Rpc
from reconciler.chain.transactions import hash_of
from reconciler.values.observed import TxResult

log = logging.getLogger(__name__)

CATCH_UP_MAX = 500
"""So many blocks are read one by one; behind a longer gap, a full view is cheaper."""

CATCH_UP_SECONDS = 30
TOUCHED_MAX = 2_000
"""Where blocks touched more than so many things, a full view is cheaper than to ask for each."""

MEASURED_BLOCKS = 100
FIRST_MEASURE_BLOCKS = 20
TIMEOUT_BLOCKS_MAX = 25
"""No transaction of ours waits longer for its block (design 7), with some to spare."""

BLOCK_SECONDS_UNMEASURED = Decimal(5)
"""The chain's own default (semantics 1.3), until two blocks have been seen."""


class BlockReader:
    """The blocks of one chain, as they concern one account."""

    def __init__(self, rpc: Rpc, address: str) -> None:
        self._rpc = rpc
        self._address = address
        self._moments: deque[tuple[int, float]] = deque(maxlen=MEASURED_BLOCKS)
        self._keeps_results = False

    def read(self, after: int, height: int) -> BlockChanges | None:
        """All that the blocks after one height and up to another touched; None where one cannot be read.

        HeightAheadError where the node does not have the newest one yet.
        """
        if not 0 <= height - after <= CATCH_UP_MAX:
            return None
        touched, until = BlockChanges(self._address), monotonic() + CATCH_UP_SECONDS
        try:
            for each in range(after + 1, height + 1):
                self._add(touched, each)
                if touched.size > TOUCHED_MAX or monotonic() > until:
                    log.info("blocks %d to %d touched %d things; all is read anew", after, each, touched.size)
                    return None
        except HeightAheadError:
            raise
        except TooLargeError as error:
            log.info("block %d is too large to be read, so all is read anew: %s", each, error)
            return None
        except NodeRefusedError as error:
            if each == height and self._keeps_results:
                # the block is stored before it is executed: its results follow
                raise HeightAheadError("block_results", error.status, error.text) from error
            log.info("blocks after %d cannot be read, so all is read anew: %s", after, error)
            return None
        return touched

    def find(self, hashes: set[str], height: int) -> dict[str, TxResult]:
        """Of these transactions, those in the blocks up to `height` that an index may not know yet."""
        found: dict[str, TxResult] = {}
        for each in range(max(height - TIMEOUT_BLOCKS_MAX, 0) + 1, height + 1):
            try:
                txs = self._rpc.block(each).txs
            except HeightAheadError:
                raise
            except NodeRefusedError:
                continue  # below the node's first block, where nothing of ours can be looked for
            wanted = [place for place, raw in enumerate(txs) if hash_of(raw) in hashes]
            if wanted:
                results = self._rpc.block_results(each)
                found |= {hash_of(txs[place]): _result(results, place, txs[place]) for place in wanted}
        return found

    def block_seconds(self, height: int, time: float) -> Decimal:
        """Seconds between blocks, measured from headers over the last hundred blocks seen."""
        while self._moments and self._moments[-1][0] > height:
            self._moments.pop()
        if not self._moments and height > 1:
            first = max(height - FIRST_MEASURE_BLOCKS, 1)
            try:
                self._moments.append((first, self._rpc.block(first).time))
            except NodeRefusedError:
                log.info("block %d is not there any more; the block time is measured from here on", first)
        if not self._moments or self._moments[-1][0] < height:
            self._moments.append((height, time))
        (low, start), (high, end) = self._moments[0], self._moments[-1]
        if high == low or end <= start:
            return BLOCK_SECONDS_UNMEASURED
        return Decimal(str(round((end - start) / (high - low), 3))).max(Decimal("0.001"))

    def _add(self, touched: BlockChanges, height: int) -> None:
        results = self._rpc.block_results(height)
        self._keeps_results = True
        txs = self._rpc.block(height).txs if needs_transactions(results, self._address) else ()
        touched.add_block(results, txs)


def _result(results: BlockResults, place: int, raw: bytes) -> TxResult:
    outcome = results.txs[place]
    return TxResult(hash_of(raw), results.height, outcome.code, outcome.codespace, outcome.log)
