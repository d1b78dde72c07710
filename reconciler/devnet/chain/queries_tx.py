"""Queries of the tx service: simulate, broadcast, and transactions of blocks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage

from reconciler.chain.proto import cosmos_abci_pb2 as abci
from reconciler.chain.proto import cosmos_tx_pb2 as txs
from reconciler.devnet.chain.blocks import Included
from reconciler.devnet.chain.call import NANOSECONDS
from reconciler.devnet.chain.errors import QueryError, plain
from reconciler.devnet.chain.execution import Outcome
from reconciler.devnet.chain.mempool import CheckedTx, SeenBeforeError, TxTooLargeError
from reconciler.devnet.chain.queries import QueryServer
from reconciler.devnet.chain.queries_node import block_at
from reconciler.devnet.chain.reading import Reading
from reconciler.devnet.chain.transactions import decode, tx_hash
from reconciler.devnet.chain.tx_search import search
from reconciler.devnet.chain.wire_blocks import block_id, wire_block, wire_event


class TxNode(Protocol):
    """A node that checks and simulates transactions."""

    def check_tx(self, data: bytes) -> CheckedTx: ...
    def simulate(self, data: bytes) -> Outcome: ...


class TxQueries:
    """Answers about one node's transactions."""

    def __init__(self, chain: TxNode, reading: Reading) -> None:
        self._chain = chain
        self._reading = reading

    def register(self, queries: QueryServer) -> None:
        """Add every query to the router."""
        queries.add(
            "cosmos.tx.v1beta1.Service",
            {
                "Simulate": self.simulate,
                "BroadcastTx": self.broadcast,
                "GetTx": self.get_tx,
                "GetTxsEvent": self.get_txs,
                "GetBlockWithTxs": self.block_with_txs,
            },
        )

    def simulate(self, request: txs.SimulateRequest) -> txs.SimulateResponse:
        """Simulate a transaction; a refusal is UNKNOWN with the log (semantics 1.2)."""
        outcome = self._chain.simulate(request.tx_bytes or request.tx.SerializeToString())
        if outcome.code:
            raise plain(f"{outcome.log} [simulator:0] with gas used: '{outcome.gas_used}'")
        result = abci.Result(
            data=outcome.data,
            log=outcome.log,
            events=[wire_event(event, indexed=False) for event in outcome.events],
            msg_responses=outcome.answers,
        )
        used = abci.GasInfo(gas_wanted=2**64 - 1, gas_used=outcome.gas_used)
        return txs.SimulateResponse(gas_info=used, result=result)

    def broadcast(self, request: txs.BroadcastTxRequest) -> txs.BroadcastTxResponse:
        """Broadcast a transaction: hash and code, the rest empty (semantics 0)."""
        try:
            checked = self._chain.check_tx(request.tx_bytes)
        except SeenBeforeError:
            checked = CheckedTx(tx_hash(request.tx_bytes), 19, "sdk", "")
        except TxTooLargeError:
            checked = CheckedTx(tx_hash(request.tx_bytes), 21, "sdk", "")
        return txs.BroadcastTxResponse(
            tx_response=abci.TxResponse(
                txhash=checked.hash,
                code=checked.code,
                codespace=checked.codespace,
                raw_log=checked.log,
            )
        )

    def get_tx(self, request: txs.GetTxRequest) -> txs.GetTxResponse:
        """A transaction of a block."""
        _check_hex(request.hash)
        found = self._reading.find(request.hash.upper())
        if found is None:
            raise QueryError(grpc.StatusCode.NOT_FOUND, f"tx not found: {request.hash}")
        return txs.GetTxResponse(tx=_tx(found), tx_response=self._response(found))

    def get_txs(self, request: txs.GetTxsEventRequest) -> txs.GetTxsEventResponse:
        """Transactions whose events match a query, the oldest first by default."""
        query = request.query or " AND ".join(request.events)
        found = search(self._reading, query)
        if request.order_by == txs.ORDER_BY_DESC:
            found.reverse()
        limit, page = request.limit or 100, max(request.page, 1)
        shown = found[(page - 1) * limit : page * limit]
        return txs.GetTxsEventResponse(
            txs=[_tx(one) for one in shown],
            tx_responses=[self._response(one) for one in shown],
            total=len(found),
        )

    def block_with_txs(self, request: txs.GetBlockWithTxsRequest) -> txs.GetBlockWithTxsResponse:
        """A block with its decoded transactions."""
        block = block_at(self._reading, request.height)
        before = self._reading.block(block.height - 1)
        return txs.GetBlockWithTxsResponse(
            txs=[_tx(one) for one in block.txs],
            block_id=block_id(block),
            block=wire_block(block, before, self._reading.chain_id),
        )

    def _response(self, found: Included) -> abci.TxResponse:
        outcome = found.outcome
        block = block_at(self._reading, found.height)
        time = datetime.fromtimestamp(block.time_ns // NANOSECONDS, UTC)
        return abci.TxResponse(
            height=found.height,
            txhash=found.hash,
            codespace=outcome.codespace,
            code=outcome.code,
            data=outcome.data.hex().upper(),
            raw_log=outcome.log,
            gas_wanted=outcome.gas_wanted,
            gas_used=outcome.gas_used,
            tx=AnyMessage(type_url="/cosmos.tx.v1beta1.Tx", value=_tx(found).SerializeToString()),
            timestamp=time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            events=[wire_event(event) for event in outcome.events],
        )


def _tx(found: Included) -> txs.Tx:
    taken = decode(found.data)
    return txs.Tx(body=taken.body, auth_info=taken.auth, signatures=taken.raw.signatures)


def _check_hex(text: str) -> None:
    for sign in text:
        if sign not in "0123456789abcdefABCDEF":
            raise plain(f"encoding/hex: invalid byte: U+{ord(sign):04X} '{sign}'")
    if len(text) % 2:
        raise plain("encoding/hex: odd length hex string")
