"""Queries about the node and its transactions: tx, node and tendermint services."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.timestamp_pb2 import Timestamp

from reconciler.chain.proto import cosmos_abci_pb2 as abci
from reconciler.chain.proto import cosmos_blocks_pb2 as blocks
from reconciler.chain.proto import cosmos_node_pb2 as node
from reconciler.chain.proto import cosmos_tx_pb2 as txs
from reconciler.chain.proto import tendermint_types_pb2 as types
from reconciler.chain.proto.tendermint_abci_pb2 import Event as WireEvent
from reconciler.chain.proto.tendermint_abci_pb2 import EventAttribute
from reconciler.chain.proto.tendermint_p2p_pb2 import DefaultNodeInfo
from reconciler.devnet.chain.amounts import ONE, spelled
from reconciler.devnet.chain.blocks import Block, Included, Ledger
from reconciler.devnet.chain.errors import QueryError, RefusedError, plain
from reconciler.devnet.chain.events import Event
from reconciler.devnet.chain.execution import Outcome
from reconciler.devnet.chain.faults import Faults
from reconciler.devnet.chain.genesis import DENOM, Genesis
from reconciler.devnet.chain.mempool import Checked, SeenBeforeError
from reconciler.devnet.chain.queries import Queries
from reconciler.devnet.chain.transactions import decode, tx_hash
from reconciler.devnet.chain.tx_search import search

NANOSECONDS = 10**9
VERSION = "0.38.19"


class Node(Protocol):
    """What these queries need of a node."""

    genesis: Genesis
    faults: Faults
    ledger: Ledger

    @property
    def height(self) -> int: ...
    def check_tx(self, data: bytes) -> Checked: ...
    def simulate(self, data: bytes) -> Outcome: ...


class NodeQueries:
    """Answers about one node."""

    def __init__(self, chain: Node) -> None:
        self._chain = chain

    def register(self, queries: Queries) -> None:
        """Add every query to the router."""
        service = "cosmos.tx.v1beta1.Service"
        queries.add(service, "Simulate", txs.SimulateRequest, self.simulate)
        queries.add(service, "BroadcastTx", txs.BroadcastTxRequest, self.broadcast)
        queries.add(service, "GetTx", txs.GetTxRequest, self.get_tx)
        queries.add(service, "GetTxsEvent", txs.GetTxsEventRequest, self.get_txs)
        queries.add(service, "GetBlockWithTxs", txs.GetBlockWithTxsRequest, self.block_with_txs)
        service = "cosmos.base.node.v1beta1.Service"
        queries.add(service, "Config", node.ConfigRequest, self.config)
        queries.add(service, "Status", node.StatusRequest, self.status)
        service = "cosmos.base.tendermint.v1beta1.Service"
        queries.add(service, "GetNodeInfo", blocks.GetNodeInfoRequest, self.identity)
        queries.add(service, "GetSyncing", blocks.GetSyncingRequest, self.syncing)
        queries.add(service, "GetLatestBlock", blocks.GetLatestBlockRequest, self.latest_block)
        queries.add(service, "GetBlockByHeight", blocks.GetBlockByHeightRequest, self.block_at)

    def simulate(self, asked: txs.SimulateRequest) -> txs.SimulateResponse:
        """Run a transaction without keeping anything; a refusal is UNKNOWN with the log (semantics 1.2)."""
        outcome = self._chain.simulate(asked.tx_bytes or asked.tx.SerializeToString())
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

    def broadcast(self, asked: txs.BroadcastTxRequest) -> txs.BroadcastTxResponse:
        """Take a transaction: hash and code, the rest empty (semantics 0)."""
        try:
            checked = self._chain.check_tx(asked.tx_bytes)
        except SeenBeforeError:
            checked = Checked(tx_hash(asked.tx_bytes), 19, "sdk", "")
        return txs.BroadcastTxResponse(
            tx_response=abci.TxResponse(
                txhash=checked.hash,
                code=checked.code,
                codespace=checked.codespace,
                raw_log=checked.log,
            )
        )

    def get_tx(self, asked: txs.GetTxRequest) -> txs.GetTxResponse:
        """A transaction that is in a block."""
        _check_hex(asked.hash)
        found = self._chain.ledger.find(asked.hash.upper())
        if found is None:
            raise QueryError(grpc.StatusCode.NOT_FOUND, f"tx not found: {asked.hash}")
        return txs.GetTxResponse(tx=_tx(found), tx_response=self._response(found))

    def get_txs(self, asked: txs.GetTxsEventRequest) -> txs.GetTxsEventResponse:
        """Transactions whose events fit a query, the oldest first unless asked otherwise."""
        query = asked.query or " AND ".join(asked.events)
        found = search(self._chain.ledger, query)
        if asked.order_by == txs.ORDER_BY_DESC:
            found.reverse()
        limit, page = asked.limit or 100, max(asked.page, 1)
        shown = found[(page - 1) * limit : page * limit]
        return txs.GetTxsEventResponse(
            txs=[_tx(one) for one in shown],
            tx_responses=[self._response(one) for one in shown],
            total=len(found),
        )

    def block_with_txs(self, asked: txs.GetBlockWithTxsRequest) -> txs.GetBlockWithTxsResponse:
        """A block with its transactions taken apart."""
        block = self._block(asked.height)
        return txs.GetBlockWithTxsResponse(
            txs=[_tx(one) for one in block.txs],
            block_id=_block_id(block),
            block=self._wire_block(block),
        )

    def config(self, asked: node.ConfigRequest) -> node.ConfigResponse:
        """The node's least gas price."""
        del asked
        least = int(self._chain.genesis.minimum_gas_price * ONE)
        return node.ConfigResponse(
            minimum_gas_price=f"{spelled(least)}{DENOM}", pruning_keep_recent="0", pruning_interval="0"
        )

    def status(self, asked: node.StatusRequest) -> node.StatusResponse:
        """The newest height and its time."""
        del asked
        block = self._block(self._chain.height)
        return node.StatusResponse(
            height=block.height,
            timestamp=stamp(block.time_ns),
            app_hash=block.app_hash,
            validator_hash=block.hash,
        )

    def identity(self, asked: blocks.GetNodeInfoRequest) -> blocks.GetNodeInfoResponse:
        """Who the node says it is: a simulator."""
        del asked
        chain_id = self._chain.faults.shown_chain_id or self._chain.genesis.chain_id
        return blocks.GetNodeInfoResponse(
            default_node_info=DefaultNodeInfo(
                protocol_version={"p2p": 8, "block": 11},
                default_node_id="5" * 40,
                listen_addr="tcp://127.0.0.1:26656",
                network=chain_id,
                version=VERSION,
                channels=bytes.fromhex("40202122233038606100"),
                moniker="simulator",
                other={"tx_index": "on", "rpc_address": "tcp://127.0.0.1:26657"},
            ),
            application_version=blocks.VersionInfo(
                name="simulator", app_name="simulator", version="simulated"
            ),
        )

    def syncing(self, asked: blocks.GetSyncingRequest) -> blocks.GetSyncingResponse:
        """Whether the node is still catching up."""
        del asked
        return blocks.GetSyncingResponse(syncing=self._chain.faults.catching_up)

    def latest_block(self, asked: blocks.GetLatestBlockRequest) -> blocks.GetLatestBlockResponse:
        """The newest block."""
        del asked
        block = self._block(self._chain.height)
        return blocks.GetLatestBlockResponse(
            block_id=_block_id(block),
            block=self._wire_block(block),
            sdk_block=self._sdk_block(block),
        )

    def block_at(self, asked: blocks.GetBlockByHeightRequest) -> blocks.GetBlockByHeightResponse:
        """A block that was made."""
        block = self._block(asked.height)
        return blocks.GetBlockByHeightResponse(
            block_id=_block_id(block),
            block=self._wire_block(block),
            sdk_block=self._sdk_block(block),
        )

    def _block(self, height: int) -> Block:
        if height > self._chain.height:
            words = "requested block height is bigger then the chain length"
            raise QueryError(grpc.StatusCode.INVALID_ARGUMENT, words)
        found = self._chain.ledger.block(height)
        if found is None:
            raise plain(f"could not find results for height #{height}")
        return found

    def _header(self, block: Block) -> types.Header:
        before = self._chain.ledger.block(block.height - 1)
        return types.Header(
            version={"block": 11},
            chain_id=self._chain.faults.shown_chain_id or self._chain.genesis.chain_id,
            height=block.height,
            time=stamp(block.time_ns),
            last_block_id=_block_id(before) if before else types.BlockID(part_set_header={}),
            last_commit_hash=block.hash,
            data_hash=block.hash,
            validators_hash=block.hash,
            next_validators_hash=block.hash,
            consensus_hash=block.hash,
            app_hash=block.app_hash,
            last_results_hash=block.hash,
            evidence_hash=block.hash,
            proposer_address=block.hash[:20],
        )

    def _wire_block(self, block: Block) -> types.Block:
        return types.Block(
            header=self._header(block),
            data={"txs": [one.data for one in block.txs]},
            evidence={},
            last_commit={"height": block.height - 1},
        )

    def _sdk_block(self, block: Block) -> blocks.Block:
        wire = self._wire_block(block)
        header = blocks.Header.FromString(_without_proposer(wire.header))
        header.proposer_address = "vevalcons1simulator"
        return blocks.Block(
            header=header, data=wire.data, evidence=wire.evidence, last_commit=wire.last_commit
        )

    def _response(self, found: Included) -> abci.TxResponse:
        outcome = found.outcome
        block = self._block(found.height)
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


def wire_event(event: Event, *, indexed: bool = True) -> WireEvent:
    """An event on the wire; those of a simulation are not indexed."""
    attributes = [EventAttribute(key=k, value=v, index=indexed) for k, v in event.attributes]
    return WireEvent(type=event.kind, attributes=attributes)


def stamp(time_ns: int) -> Timestamp:
    """A time on the wire."""
    return Timestamp(seconds=time_ns // NANOSECONDS, nanos=time_ns % NANOSECONDS)


def _tx(found: Included) -> txs.Tx:
    taken = decode(found.data)
    return txs.Tx(body=taken.body, auth_info=taken.auth, signatures=taken.raw.signatures)


def _block_id(block: Block) -> types.BlockID:
    return types.BlockID(hash=block.hash, part_set_header={"total": 1, "hash": block.app_hash})


def _without_proposer(header: types.Header) -> bytes:
    copy = types.Header()
    copy.CopyFrom(header)
    copy.ClearField("proposer_address")
    return copy.SerializeToString()


def _check_hex(text: str) -> None:
    for sign in text:
        if sign not in "0123456789abcdefABCDEF":
            raise RefusedError("undefined", 1, f"encoding/hex: invalid byte: U+{ord(sign):04X} '{sign}'")
    if len(text) % 2:
        raise plain("encoding/hex: odd length hex string")
