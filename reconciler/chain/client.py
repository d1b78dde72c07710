"""The port `Chain` on a real node, or on one that answers like it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from google.protobuf.message import DecodeError

from reconciler.chain.block_changes import BlockChanges
from reconciler.chain.block_reader import BlockReader
from reconciler.chain.broadcast import find, send
from reconciler.chain.deployments import ended
from reconciler.chain.full_view import ReadContext, read_market, read_wallet
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.heights import ANOTHER, HeightBounds, SeenHeight
from reconciler.chain.keys import PrivateKey
from reconciler.chain.node_errors import HeightAheadError, NodeError
from reconciler.chain.queries import Queries
from reconciler.chain.refresh import Refresh
from reconciler.chain.rpc import NodeStatus, Rpc
from reconciler.chain.transactions import Signer
from reconciler.chain.tx_builder import Policy, TxBuilder
from reconciler.chain.witness import Witness
from reconciler.values.ids import LeaseId
from reconciler.values.intents import Intent, Prepared
from reconciler.values.messages import Message
from reconciler.values.observed import Market, State, TxResult
from reconciler.values.outcomes import Failed, Outcome
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.text import one_line

log = logging.getLogger(__name__)

LANDED_MAX = 1_000
"""Results of own transactions that are kept in memory."""

LAG_BLOCKS_MAX = 10
"""So far may the gRPC address be behind the RPC address: a view is read at the newest height of both."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """What a node must be: of this chain, and no older than these seconds (None: of any age).

    `remembered` is the height up to which transfers are booked already; `full_view_seconds`, of chain time,
    is how often everything is read anew; `witness` confirms leases that ended; `clock` gives the host's unix
    seconds.
    """

    chain_id: str
    stale_seconds: float | None = 120
    full_view_seconds: float = 300
    remembered: SeenHeight | None = None
    witness: Witness | None = None
    clock: Callable[[], float] = time.time


class ChainClient:
    """One account's view of the market, and its hand on it; used by one thread."""

    def __init__(
        self, node: GrpcNode, rpc: Rpc, key: PrivateKey, expected: Expectations, policy: Policy | None = None
    ) -> None:
        self._node, self._rpc, self._key = node, rpc, key
        self._expected, self._policy = expected, policy or Policy()
        self._blocks = BlockReader(rpc, key.address)
        self._market: Market | None = None
        self._heights = HeightBounds(expected.remembered)
        self._cursor = self._heights.floor
        self._lag = 0
        self._full_at = 0
        self._overdue = False
        self._doubtful = False
        self._landed: dict[str, TxResult] = {}
        self._followed: set[str] = set()
        self._unsent: set[str] = set()
        self._gas_price = Decimal(0)

    def look(self, hashes: Sequence[str], known: Sequence[LeaseId]) -> Reading[Market]:
        """One view at one height; Unseen with a sentence where any part of it cannot be had."""
        try:
            status = self._rpc.status()
            if (why := self._unfit(status)) is not None:
                return Unseen(why)
            return Seen(self._witnessed(self._pinned(status, hashes, known)))
        except NodeError as error:
            return Unseen(str(error))
        except (ValueError, ArithmeticError, KeyError, IndexError, DecodeError) as error:
            return Unseen(f"{self._node.target} answered something that cannot be read: {error}")

    def forget_height(self) -> None:
        """Take the node's next height whatever was seen before, and read everything anew."""
        self._heights, self._market, self._cursor, self._lag = HeightBounds(), None, 0, 0

    def prepare(self, messages: Sequence[Message], fee_max: int) -> Prepared | Outcome:
        """Simulate, drop what is refused, sign for the sequence that was last seen. Sends nothing."""
        if self._market is None:
            return Failed("ChainUnseen", "the chain has not been seen yet")
        seen = self._market.wallet
        try:
            wallet = read_wallet(Queries(self._node), self._key.address)
        except NodeError as error:
            return Failed("Unreachable", str(error))
        if wallet.balance == 0:
            return Failed("NoBalance", f"{wallet.address} holds nothing", "send it some uve")
        if (wallet.number, wallet.sequence) != (seen.number, seen.sequence):
            self._doubtful = True
            why = f"the account's sequence went from {seen.sequence} to {wallet.sequence} meanwhile"
            return Failed("Sequence", why, "it is looked at again before anything is signed")
        signer = Signer(self._market.chain_id, wallet.number, wallet.sequence)
        prepared = self._desk(signer).prepare(messages, fee_max)
        if isinstance(prepared, Prepared) and prepared.intent is not None:
            self._followed.add(prepared.intent.hash)
            self._unsent.add(prepared.intent.hash)
        return prepared

    def broadcast(self, intent: Intent) -> Outcome:
        """Hand the bytes to the node's check; the same bytes may be handed in again."""
        first = intent.hash in self._unsent
        self._unsent.discard(intent.hash)
        outcome, price = send(self._node, intent, first)
        if price is not None:
            log.info("the node asks %suve a unit of gas now", price)
            self._gas_price = price
        return outcome

    def close(self) -> None:
        """Let the connections go."""
        self._node.close()
        if self._expected.witness is not None:
            self._expected.witness.close()

    def _desk(self, signer: Signer) -> TxBuilder:
        assert self._market is not None, "prepare looks first"
        price = max(self._market.rules.gas_price, self._gas_price)
        return TxBuilder(self._node, self._key, signer, self._market.height, price, self._policy)

    def _unfit(self, status: NodeStatus) -> str | None:
        """Why this node is not to be believed now."""
        url, expected = self._rpc.url, self._expected
        if status.chain_id != expected.chain_id:
            return f"{url} is on chain {status.chain_id}, not {expected.chain_id}; correct one of the two"
        if status.catching_up:
            return f"{url} is catching up, at height {status.height}; it is asked again until it is not"
        now = expected.clock()
        if expected.stale_seconds is not None and status.time - now > expected.stale_seconds:
            ahead = status.time - now
            return (
                f"{url} shows a block {ahead:.0f} s ahead of this host's clock; set it, or name another node"
            )
        if (why := self._heights.refusal(status, now)) is not None:
            return f"{url} {why}"
        if expected.stale_seconds is not None and now - status.time > expected.stale_seconds:
            age = now - status.time
            return f"{url} has made no block for {age:.0f} s, since height {status.height}; {ANOTHER}"
        return None

    def _pinned(self, status: NodeStatus, hashes: Sequence[str], known: Sequence[LeaseId]) -> Market:
        """The view at the newest height that both addresses have; behind a load balancer they differ."""
        floor = self._heights.floor
        newest = max(status.height - max(self._lag - 1, 0), floor)
        oldest = max(status.height - LAG_BLOCKS_MAX, floor, 1)
        for height in range(newest, oldest - 1, -1):
            try:
                market = self._look(self._at(status, height), hashes, known)
            except HeightAheadError as error:
                log.debug("height %d is not everywhere yet: %s", height, error)
                continue
            return self._accepted(market, status)
        if status.height < floor:
            raise NodeError(f"{self._rpc.url} {self._heights.behind(status)}")
        raise NodeError(
            f"{self._node.target} does not have height {oldest} yet, and {self._rpc.url} is at height "
            f"{status.height}; {ANOTHER}, or two addresses of one node"
        )

    def _witnessed(self, market: Market) -> Market:
        """The view with the leases that ended by this node's word alone."""
        if (witness := self._expected.witness) is None:
            return market
        ended = [each for each, lease in market.leases.items() if lease.state is not State.ACTIVE]
        return replace(market, unconfirmed=witness.unconfirmed(ended))

    def _at(self, status: NodeStatus, height: int) -> NodeStatus:
        """The node's status as it was at an earlier height."""
        if height == status.height:
            return status
        if self._market is not None and height == self._market.height:
            return replace(status, height=height, time=float(self._market.time))
        return replace(status, height=height, time=self._rpc.block(height).time)

    def _accepted(self, market: Market, status: NodeStatus) -> Market:
        """The view with its lag, whose height bounds the next ones."""
        lag = max(status.height - market.height, 0)
        if lag > self._lag:
            log.info("%s is %d blocks behind %s; views are that old", self._node.target, lag, self._rpc.url)
        self._lag = lag
        self._heights.accept(market.height, market.time, self._expected.clock())
        return replace(market, lag_blocks=lag)

    def _look(self, status: NodeStatus, hashes: Sequence[str], known: Sequence[LeaseId]) -> Market:
        touched = self._blocks.read(self._cursor, status.height) if self._cursor else None
        seconds = self._blocks.block_seconds(status.height, status.time)
        if touched is not None:
            touched.wallet |= self._doubtful or bool(
                hashes
            )  # what is called expired is judged by the sequence
        moment = ReadContext(status.chain_id, status.height, int(status.time), seconds)
        queries = Queries(self._node, status.height)
        if self._market is None or touched is None or self._is_due(touched, moment.time):
            market = read_market(queries, self._key.address, known, moment)
            market = self._remembering(market, touched)
            full_at, overdue = moment.time, False
            self._gas_price = Decimal(0)
        else:
            market = Refresh(queries, self._market, touched, known).market(moment)
            full_at, overdue = self._full_at, self._overdue or touched.everything
        self._refuse_false_ids(market)
        landed = self._fates(hashes, touched, status)
        # nothing of this look is kept unless all of it was read
        self._market, self._cursor = market, status.height
        self._full_at, self._overdue, self._doubtful = full_at, overdue, False
        transfers = None if touched is None else tuple(touched.transfers)
        return replace(market, landed=landed, transfers=transfers)

    def _refuse_false_ids(self, market: Market) -> None:
        """A bid or lease under another id than asked for, or with one that no chain has: the journal could
        not read it again.
        """
        for view in (market.bids, market.leases):
            for asked, found in view.items():
                if asked != found.id or not asked.is_nameable:
                    why = f"answers {one_line(str(found.id))!r} as a bid or lease, which no chain has there"
                    raise NodeError(f"{self._node.target} {why}; name another node in the host file")

    def _is_due(self, touched: BlockChanges, time: int) -> bool:
        """Whether all is to be read anew; what asks for it cannot ask more than ten times as often."""
        since = time - self._full_at
        overdue = self._overdue or touched.everything
        return since > self._expected.full_view_seconds / (10 if overdue else 1)

    def _remembering(self, market: Market, touched: BlockChanges | None) -> Market:
        """A new view with the reasons that only events told."""
        before = self._market.leases if self._market else {}
        reasons = {each: lease.closed_reason for each, lease in before.items()}
        reasons |= touched.closed if touched else {}
        leases = {each: ended(lease, reasons.get(each, "")) for each, lease in market.leases.items()}
        return replace(market, leases=leases)

    def _fates(
        self, hashes: Sequence[str], touched: BlockChanges | None, status: NodeStatus
    ) -> dict[str, TxResult]:
        """What became of these transactions up to the height of the view."""
        if touched is None:
            self._followed.clear()
        else:
            self._landed |= touched.landed
        strange = {each for each in hashes if each not in self._followed and each not in self._landed}
        if strange:
            self._landed |= self._search(strange, status)
            self._followed |= strange
        self._followed &= {*hashes, *self._unsent}
        for oldest in list(self._landed)[: max(len(self._landed) - LANDED_MAX, 0)]:
            del self._landed[oldest]
        landed = {each: self._landed[each] for each in hashes if each in self._landed}
        return {each: result for each, result in landed.items() if result.height <= status.height}

    def _search(self, hashes: set[str], status: NodeStatus) -> dict[str, TxResult]:
        """Transactions of an earlier life: by the node's index, and in blocks that it may not cover yet."""
        if not status.indexing:
            raise NodeError(
                f"{self._rpc.url} has its transaction index off, so old transactions cannot be told"
            )
        found = {each: result for each in sorted(hashes) if (result := find(self._node, each)) is not None}
        found = {each: result for each, result in found.items() if result.height <= status.height}
        missing = hashes - found.keys()
        return found | (self._blocks.find(missing, status.height) if missing else {})
