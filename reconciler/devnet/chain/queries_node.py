"""Queries about the node and its blocks: the node and tendermint services."""

from __future__ import annotations

import grpc

from reconciler.chain.proto import cosmos_blocks_pb2 as blocks
from reconciler.chain.proto import cosmos_node_pb2 as node
from reconciler.chain.proto import tendermint_types_pb2 as types
from reconciler.chain.proto.tendermint_p2p_pb2 import DefaultNodeInfo
from reconciler.devnet.chain.amounts import ONE, spelled
from reconciler.devnet.chain.blocks import StoredBlock
from reconciler.devnet.chain.errors import QueryError, plain
from reconciler.devnet.chain.genesis import DENOM
from reconciler.devnet.chain.queries import QueryServer
from reconciler.devnet.chain.reading import Reading
from reconciler.devnet.chain.wire_blocks import block_id, sdk_block, stamp, wire_block

VERSION = "0.38.19"


class NodeQueries:
    """Answers about one node."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def register(self, queries: QueryServer) -> None:
        """Add every query to the router."""
        queries.add("cosmos.base.node.v1beta1.Service", {"Config": self.config, "Status": self.status})
        queries.add(
            "cosmos.base.tendermint.v1beta1.Service",
            {
                "GetNodeInfo": self.identity,
                "GetSyncing": self.syncing,
                "GetLatestBlock": self.latest_block,
                "GetBlockByHeight": self.block_at,
            },
        )

    def config(self, _: node.ConfigRequest) -> node.ConfigResponse:
        """The node's least gas price."""
        least = int(self._reading.genesis.minimum_gas_price * ONE)
        return node.ConfigResponse(
            minimum_gas_price=f"{spelled(least)}{DENOM}", pruning_keep_recent="0", pruning_interval="0"
        )

    def status(self, _: node.StatusRequest) -> node.StatusResponse:
        """The newest height and its time."""
        block = block_at(self._reading, self._reading.height)
        return node.StatusResponse(
            height=block.height,
            timestamp=stamp(block.time_ns),
            app_hash=block.app_hash,
            validator_hash=block.hash,
        )

    def identity(self, _: blocks.GetNodeInfoRequest) -> blocks.GetNodeInfoResponse:
        """The node's identity: a simulator."""
        return blocks.GetNodeInfoResponse(
            default_node_info=DefaultNodeInfo(
                protocol_version={"p2p": 8, "block": 11},
                default_node_id="5" * 40,
                listen_addr="tcp://127.0.0.1:26656",
                network=self._reading.chain_id,
                version=VERSION,
                channels=bytes.fromhex("40202122233038606100"),
                moniker="simulator",
                other={"tx_index": "on", "rpc_address": "tcp://127.0.0.1:26657"},
            ),
            application_version=blocks.VersionInfo(
                name="simulator", app_name="simulator", version="simulated"
            ),
        )

    def syncing(self, _: blocks.GetSyncingRequest) -> blocks.GetSyncingResponse:
        """Whether the node is still catching up."""
        return blocks.GetSyncingResponse(syncing=self._reading.faults.catching_up)

    def latest_block(self, _: blocks.GetLatestBlockRequest) -> blocks.GetLatestBlockResponse:
        """The newest block."""
        block = block_at(self._reading, self._reading.height)
        wire = self._wire(block)
        return blocks.GetLatestBlockResponse(block_id=block_id(block), block=wire, sdk_block=sdk_block(wire))

    def block_at(self, request: blocks.GetBlockByHeightRequest) -> blocks.GetBlockByHeightResponse:
        """A block by its height."""
        block = block_at(self._reading, request.height)
        wire = self._wire(block)
        return blocks.GetBlockByHeightResponse(
            block_id=block_id(block), block=wire, sdk_block=sdk_block(wire)
        )

    def _wire(self, block: StoredBlock) -> types.Block:
        return wire_block(block, self._reading.block(block.height - 1), self._reading.chain_id)


def block_at(reading: Reading, height: int) -> StoredBlock:
    """The block at a height; INVALID_ARGUMENT if it is not made yet."""
    if height > reading.height:
        words = "requested block height is bigger then the chain length"
        raise QueryError(grpc.StatusCode.INVALID_ARGUMENT, words)
    found = reading.block(height)
    if found is None:
        raise plain(f"could not find results for height #{height}")
    return found
