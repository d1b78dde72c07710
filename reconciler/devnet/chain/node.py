"""A SIMULATED node: one chain in memory, without a network, compared with recordings of a real node."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import time_ns

from reconciler.devnet.chain import accounts, settlement_escrows
from reconciler.devnet.chain.ante import Ante, Mode
from reconciler.devnet.chain.blocks import BlockLedger, Included, StoredBlock
from reconciler.devnet.chain.call import NANOSECONDS, ChainEventRecord, MessageCall
from reconciler.devnet.chain.errors import TxRefusedError
from reconciler.devnet.chain.execution import Executor, MessagePosition, Outcome
from reconciler.devnet.chain.faults import ConnectionLostError, NodeFaults
from reconciler.devnet.chain.genesis import Genesis, write_genesis
from reconciler.devnet.chain.hooks import HOOKS
from reconciler.devnet.chain.mempool import (
    MOST_BYTES,
    CheckedTx,
    Mempool,
    RateLimit,
    SeenBeforeError,
    TxTooLargeError,
)
from reconciler.devnet.chain.queries import QueryServer
from reconciler.devnet.chain.queries_node import NodeQueries
from reconciler.devnet.chain.queries_tx import TxQueries
from reconciler.devnet.chain.reading import Reading
from reconciler.devnet.chain.settling import settle_due
from reconciler.devnet.chain.store import Branch, StateStore, View
from reconciler.devnet.chain.tables import BLOCK_TIMES, PARAMS
from reconciler.devnet.chain.transactions import Transaction, decode, tx_hash

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HISTORY = 1000
_BLOCKS_KEPT = 20_000


class SimulatedChain:
    """One chain of one validator. Every public method may be called from any thread."""

    def __init__(self, genesis: Genesis, block_seconds: float = 1.0, history: int = _HISTORY) -> None:
        self.genesis = genesis
        self.block_seconds = block_seconds
        self.faults = NodeFaults()
        self.lock = threading.RLock()
        self.made = threading.Condition(self.lock)
        self.store = StateStore(history)
        self.ledger = BlockLedger(_BLOCKS_KEPT)
        self.mempool = Mempool()
        self.limiter = RateLimit()
        self.executor = Executor(Ante(genesis, self.limiter, self.faults))
        self.reading = Reading(self.store, self.ledger, genesis, self.faults)
        self.queries = QueryServer(self.reading)
        NodeQueries(self.reading).register(self.queries)
        TxQueries(self, self.reading).register(self.queries)
        write_genesis(self.store, genesis)
        self._proposals: list[tuple[bytes, bytes]] = []
        self._check_state = Branch(self.store.at(0))

    @property
    def height(self) -> int:
        """The height of the last block; 0 before the first."""
        return self.store.height

    @property
    def time_ns(self) -> int:
        """The time of the last block in unix nanoseconds; 0 before the first."""
        block = self.ledger.block(self.height)
        return block.time_ns if block else 0

    @property
    def time(self) -> datetime:
        """The time of the last block, truncated to microseconds."""
        return EPOCH + timedelta(microseconds=self.time_ns // 1000)

    @property
    def place(self) -> MessagePosition:
        """The position of checks and simulations: the last block."""
        return MessagePosition(self.height, self.time_ns)

    def view(self, height: int = 0) -> View:
        """The state at a height; 0 is the newest one."""
        return self.store.at(height or self.height)

    def step(self, time: datetime | int | None = None, include: Sequence[str] | None = None) -> StoredBlock:
        """Make one block of what waits, or of the named transactions in their order.

        `time` is a datetime or unix nanoseconds; without it the last time and `block_seconds` more.
        """
        with self.lock:
            place = MessagePosition(self.height + 1, self._next_time(time))
            self.store.write(BLOCK_TIMES, b"", place.time_ns)
            events = list(self._without_tx(settlement_escrows.expire, place, "BeginBlock"))
            self._race(place)
            taken = self.mempool.take(None if include is None else list(include))
            txs = tuple(self._include(tx, place, index) for index, tx in enumerate(taken))
            events += self._without_tx(settle_due, place, "EndBlock")
            events += self._without_tx(self._pass_proposals, place, "EndBlock")
            block = StoredBlock(place.height, place.time_ns, txs, tuple(events))
            self.store.commit()
            self.ledger.append(block)
            self._recheck()
            self.made.notify_all()
            return block

    def pass_proposal(self, module: bytes, params: bytes) -> None:
        """Set a module's parameters at the end of the next block, as a governance proposal does."""
        with self.lock:
            self._proposals.append((module, params))

    def check_tx(self, data: bytes) -> CheckedTx:
        """Check a transaction and add it to the mempool; SeenBeforeError for repeated bytes."""
        with self.lock:
            if self.faults.lost_requests:
                self.faults.lost_requests -= 1
                raise ConnectionLostError
            checked = self._check(data)
            if self.faults.lost_replies:
                self.faults.lost_replies -= 1
                raise ConnectionLostError
            return checked

    def simulate(self, data: bytes) -> Outcome:
        """Simulate a transaction without checks of signature, fee price and rate; nothing is stored."""
        with self.lock:
            tx = decode(data)
            passed, branch = self.executor.pass_ante(self._check_state, self.place, tx, Mode.SIMULATE)
            if passed.code:
                return passed
            outcome = self.executor.run_messages(passed, branch, self.place, tx)[0]
            return replace(outcome, gas_used=outcome.gas_used * self.faults.simulated_gas_percent // 100)

    def restored(self, waiting: Iterable[bytes], seen: Iterable[str]) -> None:
        """Continue from the restored store and ledger, with the mempool of that time."""
        with self.lock:
            self.mempool.remember(seen)
            for data in waiting:
                self.mempool.add(decode(data))
            self._recheck()

    def query(self, path: str, request: bytes, height: int = 0) -> bytes:
        """Answer a gRPC query at a height; raises the node's TxRefusedError or QueryError."""
        with self.lock:
            return self.queries.answer(path, request, height)

    @staticmethod
    def now_ns() -> int:
        """The wall clock in unix nanoseconds."""
        return time_ns()

    def wait_for(self, height: int, timeout_seconds: float) -> bool:
        """Wait until a height is reached; false after the timeout."""
        with self.made:
            return self.made.wait_for(lambda: self.reading.height >= height, timeout_seconds)

    def _check(self, data: bytes) -> CheckedTx:
        name = tx_hash(data)
        if len(data) > MOST_BYTES:
            raise TxTooLargeError(len(data))
        if self.mempool.has_seen(name):
            raise SeenBeforeError
        try:
            tx = decode(data)
        except TxRefusedError as refusal:
            return CheckedTx(name, refusal.code, refusal.codespace, refusal.text)
        passed, branch = self.executor.pass_ante(self._check_state, self.place, tx, Mode.CHECK)
        if passed.code:
            return CheckedTx(name, passed.code, passed.codespace, passed.log)
        branch.flush(self._check_state.put_free)
        self.mempool.add(tx)
        return CheckedTx(name)

    def _include(self, tx: Transaction, place: MessagePosition, index: int) -> Included:
        outcome, branch = self.executor.pass_ante(self.store.tip(), place, tx, Mode.BLOCK)
        if not outcome.code:
            branch.flush(self.store.write)
            fresh = Branch(self.store.tip(), branch.meter)
            outcome, messages = self.executor.run_messages(outcome, fresh, place, tx)
            if not outcome.code:
                messages.flush(self.store.write)
        if outcome.code:
            self.mempool.forget(tx.hash)
        return Included(tx.data, place.height, index, outcome)

    def _recheck(self) -> None:
        """Reset the check state and check the mempool again."""
        self._check_state = Branch(self.store.at(self.height))
        for tx in list(self.mempool.waiting.values()):
            passed, branch = self.executor.pass_ante(self._check_state, self.place, tx, Mode.RECHECK)
            if passed.code:
                self.mempool.forget(tx.hash)
            else:
                branch.flush(self._check_state.put_free)

    def _without_tx(
        self, work: Callable[[MessageCall], None], place: MessagePosition, mode: str
    ) -> list[ChainEventRecord]:
        """Work at the beginning or the end of a block."""
        call = MessageCall(Branch(self.store.tip()), place.height, place.time_ns, HOOKS)
        work(call)
        call.state.flush(self.store.write)
        return [event.marked("mode", mode) for event in call.events.events]

    def _pass_proposals(self, call: MessageCall) -> None:
        while self._proposals:
            call.state.put_free(PARAMS, *self._proposals.pop(0))
            call.events.emit("active_proposal", ("proposal_result", "proposal_passed"))

    def _race(self, place: MessagePosition) -> None:
        state = Branch(self.store.tip())
        while self.faults.racing:
            accounts.increment_sequence(state, self.faults.racing.pop())
        state.flush(self.store.write)

    def _next_time(self, time: datetime | int | None) -> int:
        if isinstance(time, datetime):
            return (time - EPOCH) // timedelta(microseconds=1) * 1000
        if time is not None:
            return max(time, self.time_ns + 1)
        if not self.height:
            return self.now_ns()
        return self.time_ns + round(self.block_seconds * NANOSECONDS)
