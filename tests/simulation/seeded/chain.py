"""A chain in this process whose quiet stretches are jumped over, and a node that reads it with faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from google.protobuf.message import Message

from reconciler.chain.grpc_node import GrpcNode, Request, Response
from reconciler.chain.keys import PrivateKey
from reconciler.chain.node_errors import NodeError, refused
from reconciler.chain.proto import (
    deployment_v1beta4_pb2,
    market_v1_pb2,
    market_v1beta5_pb2,
    settlement_v1_pb2,
)
from reconciler.chain.rpc import BlockResults, Rpc
from reconciler.chain.stubs import Unary
from reconciler.chain.transactions import Signer, Terms, sign_tx
from reconciler.devnet.accounts import CHAIN_ID
from reconciler.devnet.chain import accounts
from reconciler.devnet.chain import rpc_json as shapes
from reconciler.devnet.chain.blocks import StoredBlock
from reconciler.devnet.chain.errors import QueryError, TxRefusedError
from reconciler.devnet.chain.faults import ConnectionLostError
from reconciler.devnet.chain.genesis import Genesis
from reconciler.devnet.chain.mempool import SeenBeforeError
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.rpc_errors import RpcError, conditions, page
from reconciler.devnet.chain.rpc_methods import RpcMethods
from reconciler.devnet.chain.store import StateTable
from reconciler.devnet.chain.tables import SETTLEMENT_ACTIVE, SETTLEMENT_ENDS
from reconciler.devnet.chain.transactions import decode
from reconciler.devnet.chain.tx_search import matches, tags

NANOSECONDS = 10**9
BLOCKS_KEPT = 700
"""More than a daemon reads one by one after a gap."""

GAS, FEE = 6_000_000, 150_000
"""Of every transaction that is not ours."""


class JumpingChain(SimulatedChain):
    """A chain that makes many empty blocks at once."""

    def __init__(self, genesis: Genesis, block_seconds: float) -> None:
        super().__init__(genesis, block_seconds, history=200)
        self._tags: dict[str, dict[str, list[str]]] = {}

    @property
    def seconds(self) -> int:
        """The last block's time in unix seconds."""
        return self.time_ns // NANOSECONDS

    def jump(self, blocks: int) -> None:
        """Make so many empty blocks; only the newest are kept, as on a node that prunes.

        Nothing may wait for a block, and nothing may be due at the beginning or end of one.
        """
        assert not self.mempool.waiting, "a waiting transaction would be in the next block"
        start_ns, length_ns = self.time_ns, round(self.block_seconds * NANOSECONDS)
        first = max(blocks - BLOCKS_KEPT, 0) + 1
        made = [StoredBlock(self.height + n, start_ns + n * length_ns) for n in range(first, blocks + 1)]
        kept = [] if first > 1 else list(self.ledger)[-BLOCKS_KEPT:]
        known = dict(self.ledger._txs)
        self.ledger.restore([*kept, *made])
        self.ledger._txs = known
        self.store.height += blocks
        self._recheck()

    def due_seconds(self, period_seconds: int) -> Iterator[int]:
        """The times at which the chain itself expires or settles an escrow."""
        view = self.view()
        for name, since_ns in view.scan(SETTLEMENT_ACTIVE):
            yield since_ns // NANOSECONDS + period_seconds
            yield (view.get(SETTLEMENT_ENDS, name) or 0) // NANOSECONDS

    def rows(self, table: StateTable[Any]) -> list[Any]:
        """The values of a table."""
        return [value for _, value in self.view().scan(table)]

    def search(self, params: dict[str, str]) -> dict[str, Any]:
        """One page of `tx_search`: the index outlives the blocks."""
        wanted, txs = conditions(params), self.ledger._txs
        self._tags.update((name, tags(tx)) for name, tx in txs.items() if name not in self._tags)
        found = [tx for name, tx in txs.items() if matches(wanted, self._tags[name])]
        return {"txs": [shapes.transaction(tx) for tx in page(found, params)], "total_count": str(len(found))}

    def send(self, key: PrivateKey, *messages: Message) -> str:
        """Submit a transaction of somebody else; the check's refusal, or ""."""
        account = accounts.find(self._check_state, key.address)
        assert account is not None, "every key has an account"
        signer = Signer(CHAIN_ID, account.account_number, account.sequence)
        return self.check_tx(sign_tx(messages, signer, Terms(GAS, FEE, 0), key).raw).log

    def would_pass(self, raw: bytes) -> bool:
        """Whether a transaction passes in simulation."""
        return not self.simulate(raw).code and bool(decode(raw).messages)


class NodeLink:
    """The connection between the daemon and its node. `fault` is called before every request with its name,
    and may raise NodeError; `lag` hides the newest blocks from both addresses.
    """

    def __init__(self, chain: JumpingChain) -> None:
        self.chain = chain
        self.fault: Callable[[str], None] = lambda _: None
        self.lost_reply: Callable[[str], bool] = lambda _: False
        self.shows_closed_leases = False
        """A lie: every lease is closed."""
        self.shows_no_funds = False
        """A lie: no order has a settlement escrow, and every account is empty."""
        self.lag = 0
        """Blocks that are hidden on this connection alone."""

    @contextmanager
    def lagging(self) -> Iterator[JumpingChain]:
        """The chain with this connection's lag."""
        faults = self.chain.faults
        before, faults.lag = faults.lag, faults.lag + self.lag
        try:
            yield self.chain
        finally:
            faults.lag = before


class LinkedNode(GrpcNode):
    """gRPC queries to the chain in this process."""

    def __init__(self, link: NodeLink) -> None:  # there is no channel to open
        self.target = "127.0.0.1:9090"
        self._link = link

    def call(self, method: Unary[Request, Response], request: Request, height: int = 0) -> Response:
        self._link.fault(method.path)
        try:
            with self._link.lagging() as chain:
                answer = chain.query(method.path, request.SerializeToString(), height)
        except TxRefusedError as error:
            words = error.text
            if error.codespace != "undefined":
                words = f"codespace {error.codespace} code {error.code}: {error.text}"
            raise refused(method.path, error.status.name, words) from None
        except QueryError as error:
            raise refused(method.path, error.status.name, error.text) from None
        except (ConnectionLostError, SeenBeforeError):
            raise NodeError(f"{self.target} does not answer {method.path}: connection reset") from None
        if self._link.lost_reply(method.path):
            raise NodeError(f"{self.target} does not answer {method.path}: connection reset")
        response = method.response.FromString(answer)
        if self._link.shows_closed_leases:
            _close_leases(response)
        if self._link.shows_no_funds:
            _take_funds(response)
        return response

    def close(self) -> None:
        """There is nothing to close."""


def _close_leases(response: Message) -> None:
    match response:
        case market_v1beta5_pb2.QueryLeasesResponse():
            del response.leases[:]
        case market_v1beta5_pb2.QueryLeaseResponse():
            response.lease.state = market_v1_pb2.Lease.closed
        case _:
            pass


def _take_funds(response: Message) -> None:
    match response:
        case settlement_v1_pb2.QueryEscrowsByOrderResponse():
            del response.escrows[:]
        case deployment_v1beta4_pb2.QueryDeploymentResponse():
            del response.escrow_account.state.funds[:]
        case deployment_v1beta4_pb2.QueryDeploymentsResponse():
            for each in response.deployments:
                del each.escrow_account.state.funds[:]
        case _:
            pass


class LinkedRpc(Rpc):
    """CometBFT's RPC of the chain in this process."""

    def __init__(self, link: NodeLink) -> None:
        super().__init__("http://127.0.0.1:26657")
        self._link = link
        self._methods = RpcMethods(link.chain)

    def block_results(self, height: int) -> BlockResults:
        """As the node answers; of the many empty blocks without the way through its JSON."""
        block = self._link.chain.reading.block(height)
        if block is None or block.txs or block.events:
            return super().block_results(height)
        self._link.fault("block_results")
        return BlockResults(height, (), ())

    def call(self, method: str, params: dict[str, str] | None = None, bytes_max: int = 0) -> Any:
        self._link.fault(method)
        if method == "tx_search":
            return self._link.chain.search(params or {})
        try:
            with self._link.lagging():
                return self._methods.call(method, params or {})
        except RpcError as error:
            raise refused(method, str(error.code), error.data or error.message) from None
