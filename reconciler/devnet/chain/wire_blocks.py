"""Blocks and events in the gRPC services; hashes are the simulator's own."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from reconciler.chain.proto import cosmos_blocks_pb2 as blocks
from reconciler.chain.proto import tendermint_types_pb2 as types
from reconciler.chain.proto.tendermint_abci_pb2 import Event as WireEvent
from reconciler.chain.proto.tendermint_abci_pb2 import EventAttribute
from reconciler.devnet.chain.blocks import StoredBlock
from reconciler.devnet.chain.call import NANOSECONDS, ChainEventRecord


def wire_event(event: ChainEventRecord, *, indexed: bool = True) -> WireEvent:
    """An event on the wire; those of a simulation are not indexed."""
    attributes = [EventAttribute(key=k, value=v, index=indexed) for k, v in event.attributes]
    return WireEvent(type=event.kind, attributes=attributes)


def stamp(time_ns: int) -> Timestamp:
    """A time on the wire."""
    return Timestamp(seconds=time_ns // NANOSECONDS, nanos=time_ns % NANOSECONDS)


def block_id(block: StoredBlock) -> types.BlockID:
    """The id of a block."""
    return types.BlockID(hash=block.hash, part_set_header={"total": 1, "hash": block.app_hash})


def wire_block(block: StoredBlock, before: StoredBlock | None, chain_id: str) -> types.Block:
    """A block in CometBFT's form."""
    return types.Block(
        header=_header(block, before, chain_id),
        data={"txs": [one.data for one in block.txs]},
        evidence={},
        last_commit={"height": block.height - 1},
    )


def sdk_block(wire: types.Block) -> blocks.Block:
    """The same block in the SDK's form, where the proposer is a text."""
    bare = types.Header()
    bare.CopyFrom(wire.header)
    bare.ClearField("proposer_address")
    header = blocks.Header.FromString(bare.SerializeToString())
    header.proposer_address = "vevalcons1simulator"
    return blocks.Block(header=header, data=wire.data, evidence=wire.evidence, last_commit=wire.last_commit)


def _header(block: StoredBlock, before: StoredBlock | None, chain_id: str) -> types.Header:
    return types.Header(
        version={"block": 11},
        chain_id=chain_id,
        height=block.height,
        time=stamp(block.time_ns),
        last_block_id=block_id(before) if before else types.BlockID(part_set_header={}),
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
