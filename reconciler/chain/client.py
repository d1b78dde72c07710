"""Implements the `Chain` port over gRPC and RPC."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from google.protobuf.message import DecodeError

from reconciler.chain.block_changes import BlockChanges
from reconciler.chain.block_reader import BlockReader
from reconciler.chain.broadcast import failure_in_block, send
from reconciler.chain.call_deadline import CallDeadline
from reconciler.chain.deployments import mark_closed
from reconciler.chain.full_view import ReadContext, read_market, read_wallet
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.heights import ANOTHER, HeightBounds, SeenHeight
from reconciler.chain.keys import PrivateKey
from reconciler.chain.node_errors import HeightAheadError, NodeError
from reconciler.chain.queries import Queries
from reconciler.chain.refresh import Refresh, rival_bids_after
from reconciler.chain.rpc import NodeStatus, Rpc
from reconciler.chain.transactions import Signer
from reconciler.chain.tx_builder import FeePolicy, TxBuilder
from reconciler.chain.witness import Witness
from reconciler.values.ids import LeaseId, OrderId
from reconciler.values.intents import FeeTerms, Intent, Prepared
from reconciler.values.messages import Message
from reconciler.values.observed import Market, State, Transfer, TxResult
from reconciler.values.outcomes import Failed, Outcome, Unknown
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.same import keep_same
from reconciler.values.subjects import Subject
from reconciler.values.text import one_line

log = logging.getLogger(__name__)

RESULTS_MAX = 1_000
"""Maximum number of cached results of own transactions."""

OBSERVE_SECONDS = 2.5
"""How long one observation may take: with preparing and broadcasting, a cycle waits at most 5 s."""

FIRST_VIEW_SECONDS = 20.0
"""The same while no view is known, as nothing can be decided without one; also the most for a full view,
whose time doubles from OBSERVE_SECONDS whenever it does not suffice.
"""

FULL_VIEW_RETRY_SECONDS = 30
"""Chain time without a further attempt after a full view that took too long."""

SEND_SECONDS = 1.5
"""How long checking, simulating and signing a transaction may take."""

BROADCAST_SECONDS = 1.0

LAG_BLOCKS_MAX = 10
"""Largest lag of the gRPC address behind the RPC address; a view is read at the newest height of both."""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """The expected chain, and the largest age of its last block (None: any).

    `last_height` is the height up to which transfers are booked; `witness` confirms closed leases; a full
    view is read every `full_view_seconds` of chain time; `clock` returns the host's unix seconds; `deadline`
    is that of the node's clients and the witness.
    """

    chain_id: str
    stale_seconds: float | None = 120
    full_view_seconds: float = 300
    last_height: SeenHeight | None = None
    witness: Witness | None = None
    clock: Callable[[], float] = time.time
    deadline: CallDeadline = field(default_factory=CallDeadline)


class ChainClient:
    """Reads the market and sends transactions for one account; not thread-safe."""

    def __init__(
        self,
        node: GrpcNode,
        rpc: Rpc,
        key: PrivateKey,
        options: ClientOptions,
        policy: FeePolicy | None = None,
    ) -> None:
        self._node, self._rpc, self._key = node, rpc, key
        self._options, self._policy = options, policy or FeePolicy()
        self._blocks = BlockReader(rpc, key.address)
        self._market: Market | None = None
        self._heights = HeightBounds(options.last_height)
        self._cursor = self._heights.floor
        self._lag = 0
        self._full_at = 0
        self._overdue = False
        self._is_sequence_stale = False
        """The next view reads the account again."""
        self._results: dict[str, TxResult] = {}
        """Results by hash, the oldest first."""
        self._tracked: set[str] = set()
        """Hashes that are looked for in each block."""
        self._prepared: set[str] = set()
        """Hashes that were never broadcast."""
        self._full_view_seconds = OBSERVE_SECONDS
        self._full_view_not_before = 0
        self._closed_orders: set[OrderId] = set()
        self._doubted: Mapping[LeaseId, str] = {}
        """Leases whose closing the witness did not confirm: they stay in the view until it does."""

    def observe(
        self, hashes: Sequence[str], known: Sequence[LeaseId], to_confirm: Collection[Subject] = ()
    ) -> Reading[Market]:
        """The market at one height; Unseen with the reason if any part of it is unavailable in time."""
        deadline = self._options.deadline
        deadline.start(FIRST_VIEW_SECONDS if self._market is None else OBSERVE_SECONDS)
        try:
            status = self._rpc.status()
            if (why := self._rejection(status)) is not None:
                return Unseen(why)
            wanted = (*known, *(each for each in self._doubted if each not in known))
            market = self._read_at_common_height(status, hashes, wanted)
            return Seen(self._with_witness(market, to_confirm))
        except NodeError as error:
            return Unseen(str(error))
        except (ValueError, ArithmeticError, KeyError, IndexError, DecodeError) as error:
            return Unseen(f"{self._node.target} sent an unreadable response: {error}")

    def transfers_between(self, first: int, last: int) -> tuple[Transfer, ...] | None:
        """Transfers of our account in the transactions of these blocks, from the node's index; None if it
        does not have them.
        """
        self._options.deadline.start(OBSERVE_SECONDS)
        try:
            is_indexed = self._rpc.status().indexing
        except NodeError:
            return None
        return self._blocks.search_transfers(first - 1, last) if is_indexed else None

    def forget_height(self) -> None:
        """Accept the node's next height unconditionally, and read a full view."""
        self._heights, self._market, self._cursor, self._lag = HeightBounds(), None, 0, 0
        self._doubted = {}
        self._closed_orders = set()  # a chain that begins anew uses their ids again

    def prepare(self, messages: Sequence[Message], terms: FeeTerms) -> Prepared | Outcome:
        """Simulate, drop refused messages, sign for the sequence last seen. Sends nothing."""
        if self._market is None:
            return Failed("ChainUnseen", "the chain has not been seen yet")
        self._options.deadline.start(SEND_SECONDS)
        seen = self._market.wallet
        try:
            wallet = read_wallet(Queries(self._node), self._key.address)
        except NodeError as error:
            return Failed("Unreachable", str(error))
        if wallet.balance == 0:
            return Failed("NoBalance", f"{wallet.address} has no balance", "send uve to it")
        if (wallet.number, wallet.sequence) != (seen.number, seen.sequence):
            self._is_sequence_stale = True
            why = f"the account's sequence changed from {seen.sequence} to {wallet.sequence}"
            return Failed("Sequence", why, "the next cycle reads the account again before signing")
        signer = Signer(self._market.chain_id, wallet.number, wallet.sequence)
        height, price = self._market.height, self._market.rules.gas_price
        builder = TxBuilder(self._node, self._key, signer, wallet.balance, height, price, self._policy)
        prepared = builder.prepare(messages, terms)
        if isinstance(prepared, Prepared) and prepared.intent is not None:
            self._tracked.add(prepared.intent.hash)
            self._prepared.add(prepared.intent.hash)
        return prepared

    def broadcast(self, intent: Intent) -> Outcome:
        """Broadcast the transaction; idempotent, but not again if it would fail in a block by now. A gas
        price that the node requires is paid from then on.
        """
        self._options.deadline.start(BROADCAST_SECONDS)
        first = intent.hash in self._prepared
        self._prepared.discard(intent.hash)
        if not first and (why := failure_in_block(self._node, intent.tx)):
            until = f"it is not sent again, and expires at height {intent.timeout_height}"
            return Unknown(f"it would fail in a block now ({why}); {until}")
        outcome, price = send(self._node, intent, first)
        if price is not None and self._market is not None:
            log.info("the node now requires %suve per unit of gas", price)
            self._market = replace(self._market, rules=replace(self._market.rules, gas_price=price))
        return outcome

    def close(self) -> None:
        """Close the connections."""
        self._node.close()
        if self._options.witness is not None:
            self._options.witness.close()

    def _rejection(self, status: NodeStatus) -> str | None:
        """Why this node cannot be used now; None if it can."""
        url, options = self._rpc.url, self._options
        if status.chain_id != options.chain_id:
            advice = "correct chain.chain_id or the node's address"
            return f"{url} is on chain {status.chain_id}, not {options.chain_id}; {advice}"
        if status.catching_up:
            return f"{url} is catching up, at height {status.height}; wait until it is synced"
        now = options.clock()
        if options.stale_seconds is not None and status.time - now > options.stale_seconds:
            ahead = status.time - now
            return f"{url} has a block {ahead:.0f} s ahead of this host's clock; correct the clock"
        if (why := self._heights.check(status, now)) is not None:
            return f"{url} {why}"
        if options.stale_seconds is not None and now - status.time > options.stale_seconds:
            age = now - status.time
            return f"{url} has made no block for {age:.0f} s, since height {status.height}; {ANOTHER}"
        return None

    def _read_at_common_height(
        self, status: NodeStatus, hashes: Sequence[str], known: Sequence[LeaseId]
    ) -> Market:
        """The market at the newest height of both addresses, which differ behind a load balancer."""
        floor = self._heights.floor
        behind = self._lag - 1 if self._lag > 1 and not self._is_node_at(status.height) else 0
        newest = max(status.height - behind, floor)
        oldest = max(status.height - LAG_BLOCKS_MAX, floor, 1)
        for height in range(newest, oldest - 1, -1):
            try:
                market = self._read(self._at(status, height), hashes, known)
            except HeightAheadError as error:
                log.debug("height %d is not available on both addresses yet: %s", height, error)
                continue
            return self._accept(market, status)
        if status.height < floor:
            raise NodeError(f"{self._rpc.url} {self._heights.behind(status)}")
        raise NodeError(
            f"{self._node.target} does not have height {oldest} yet, and {self._rpc.url} is at height "
            f"{status.height}; {ANOTHER}, or use two addresses of one node"
        )

    def _is_node_at(self, height: int) -> bool:
        """Whether the gRPC address has a height, asked with one cheap query."""
        try:
            Queries(self._node, height).balance(self._key.address)
        except HeightAheadError:
            return False
        return True

    def _with_witness(self, market: Market, to_confirm: Collection[Subject]) -> Market:
        """The market with the closed leases that the witness does not confirm, and what it shows."""
        if (witness := self._options.witness) is None:
            return market
        ended = [each for each, lease in market.leases.items() if lease.state is not State.ACTIVE]
        self._doubted = witness.unconfirmed(ended)
        return replace(market, unconfirmed=self._doubted, witness=witness.view(to_confirm, self._key.address))

    def _at(self, status: NodeStatus, height: int) -> NodeStatus:
        """The node's status at an earlier height."""
        if height == status.height:
            return status
        if self._market is not None and height == self._market.height:
            return replace(status, height=height, time=float(self._market.time))
        return replace(status, height=height, time=self._rpc.block(height).time)

    def _accept(self, market: Market, status: NodeStatus) -> Market:
        """Record the height, and return the market with its lag."""
        lag = max(status.height - market.height, 0)
        if lag > self._lag:
            log.info("%s is %d blocks behind %s", self._node.target, lag, self._rpc.url)
        self._lag = lag
        self._heights.accept(market.height, market.time, self._options.clock())
        return replace(market, lag_blocks=lag)

    def _read(self, status: NodeStatus, hashes: Sequence[str], known: Sequence[LeaseId]) -> Market:
        """The market at the height of `status`: a full view, or the last one with the changes since."""
        changes = self._blocks.read(self._cursor, status.height) if self._cursor else None
        seconds = self._blocks.block_seconds(status.height, status.time)
        if changes is not None:
            # the sequence decides whether a transaction expired
            changes.wallet |= self._is_sequence_stale or bool(hashes)
        context = ReadContext(status.chain_id, status.height, int(status.time), seconds, self._closed_orders)
        queries = Queries(self._node, status.height)
        if self._market is None or changes is None or self._is_full_view_due(changes, context.time):
            is_needed = self._market is None or changes is None
            market = self._full_view(queries, known, context, is_needed=is_needed)
            market = self._with_events(market, changes)
            full_at, overdue = context.time, False
        else:
            market = Refresh(queries, self._market, changes, known).market(context)
            full_at, overdue = self._full_at, self._overdue or changes.everything
        market = self._with_same_objects(market)
        self._reject_false_ids(market)
        landed = self._update_results(hashes, changes, status)
        transfers = tuple(changes.transfers) if changes is not None else self._missed_transfers(status)
        signed = tuple(changes.signed) if changes is not None and self._market is not None else ()
        # state changes only after everything was read
        self._market, self._cursor = market, status.height
        self._full_at, self._overdue, self._is_sequence_stale = full_at, overdue, False
        return replace(market, tx_results=landed, transfers=transfers, signed=signed)

    def _missed_transfers(self, status: NodeStatus) -> tuple[Transfer, ...] | None:
        """Transfers of a gap that is too long to be read block by block; None if there are none to miss yet,
        or if they cannot be had.
        """
        if not (0 < self._cursor < status.height and status.indexing):
            return None
        return self._blocks.search_transfers(self._cursor, status.height)

    def _full_view(
        self, queries: Queries, known: Sequence[LeaseId], context: ReadContext, *, is_needed: bool
    ) -> Market:
        """A full view; while it only renews one, it may not delay bids for long, and is postponed instead."""
        deadline = self._options.deadline
        deadline.start(FIRST_VIEW_SECONDS if is_needed else self._full_view_seconds)
        try:
            return read_market(queries, self._key.address, known, context)
        except NodeError:
            if deadline.is_over:
                self._full_view_seconds = min(2 * self._full_view_seconds, FIRST_VIEW_SECONDS)
                self._full_view_not_before = context.time + FULL_VIEW_RETRY_SECONDS
            raise

    def _with_same_objects(self, market: Market) -> Market:
        """The market with the objects of the last view where they are equal, so that decisions about them
        hold.
        """
        if (old := self._market) is None:
            return market
        return replace(
            market,
            orders=keep_same(old.orders, market.orders),
            bids=keep_same(old.bids, market.bids),
            leases=keep_same(old.leases, market.leases),
            accounts=keep_same(old.accounts, market.accounts),
            settlements=keep_same(old.settlements, market.settlements),
        )

    def _reject_false_ids(self, market: Market) -> None:
        """Reject a bid or lease with another ID than requested, or with an invalid one, which the journal
        could not read back.
        """
        old = self._market
        for view, checked in ((market.bids, old and old.bids), (market.leases, old and old.leases)):
            for id_, each in view.items() if view is not checked else ():
                if id_ != each.id or not id_.is_nameable:
                    why = f"returned a bid or lease with the invalid ID {one_line(str(each.id))!r}"
                    raise NodeError(f"{self._node.target} {why}; name another node in the host file")

    def _is_full_view_due(self, changes: BlockChanges, time: int) -> bool:
        """Whether to read a full view; blocks can request one at most ten times as often as the interval."""
        since = time - self._full_at
        if time < self._full_view_not_before:
            return False
        overdue = self._overdue or changes.everything
        return since > self._options.full_view_seconds / (10 if overdue else 1)

    def _with_events(self, market: Market, changes: BlockChanges | None) -> Market:
        """A new view with what only events contain: closing reasons, and other providers' bids."""
        before = self._market.leases if self._market else {}
        reasons = {each: lease.closed_reason for each, lease in before.items()}
        reasons |= changes.closed if changes else {}
        leases = {each: mark_closed(lease, reasons.get(each, "")) for each, lease in market.leases.items()}
        known = self._market.rival_bids if self._market else {}
        rivals = rival_bids_after(known, changes, market.orders) if changes is not None else {}
        return replace(market, leases=leases, rival_bids=rivals)

    def _update_results(
        self, hashes: Sequence[str], changes: BlockChanges | None, status: NodeStatus
    ) -> dict[str, TxResult]:
        """Results of these transactions up to the height of the view."""
        if changes is None:
            self._tracked.clear()
        else:
            self._results |= changes.landed
        unknown = {each for each in hashes if each not in self._tracked and each not in self._results}
        if unknown:
            self._results |= self._search(unknown, status)
            self._tracked |= unknown
        self._tracked &= {*hashes, *self._prepared}
        for oldest in list(self._results)[: max(len(self._results) - RESULTS_MAX, 0)]:
            del self._results[oldest]
        landed = {each: self._results[each] for each in hashes if each in self._results}
        return {each: result for each, result in landed.items() if result.height <= status.height}

    def _search(self, hashes: set[str], status: NodeStatus) -> dict[str, TxResult]:
        """Transactions of an earlier process: from the node's index, and from blocks that it may not cover
        yet.
        """
        if not status.indexing:
            raise NodeError(
                f"{self._rpc.url} has no transaction index, so results of old transactions are unavailable"
            )
        found = (self._rpc.transaction(each) for each in sorted(hashes))
        results = {each.hash: each for each in found if each is not None and each.height <= status.height}
        missing = hashes - results.keys()
        return results | (self._blocks.find(missing, status.height) if missing else {})
