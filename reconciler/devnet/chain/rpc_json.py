"""CometBFT's JSON forms: 64-bit numbers as text, hashes in upper-case hex, transactions in base64."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from reconciler.devnet.chain.blocks import Included, StoredBlock
from reconciler.devnet.chain.call import NANOSECONDS, ChainEventRecord
from reconciler.devnet.chain.execution import Outcome

EMPTY_HASH = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"


def b64(data: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(data).decode()


def upper(data: bytes) -> str:
    """Bytes as upper-case hex."""
    return data.hex().upper()


def rfc3339(time_ns: int) -> str:
    """A time with as many of its nanoseconds as are not zero."""
    seconds, nanos = divmod(time_ns, NANOSECONDS)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{text}{fraction}Z"


def events(found: Iterable[ChainEventRecord]) -> list[dict[str, Any]]:
    """Events with plain keys and values; an empty type is omitted (semantics 5.7)."""
    return [
        ({"type": event.kind} if event.kind else {})
        | {"attributes": [{"key": k, "value": v, "index": True} for k, v in event.attributes]}
        for event in found
    ]


def result(outcome: Outcome) -> dict[str, Any]:
    """The result of a transaction, with every field."""
    return {
        "code": outcome.code,
        "data": b64(outcome.data) if outcome.data else None,
        "log": outcome.log,
        "info": "",
        "gas_wanted": str(outcome.gas_wanted),
        "gas_used": str(outcome.gas_used),
        "events": events(outcome.events),
        "codespace": outcome.codespace,
    }


def transaction(tx: Included) -> dict[str, Any]:
    """A transaction with its position, as in `tx` and `tx_search`."""
    return {
        "hash": tx.hash,
        "height": str(tx.height),
        "index": tx.index,
        "tx_result": result(tx.outcome),
        "tx": b64(tx.data),
    }


def block_id(block: StoredBlock | None) -> dict[str, Any]:
    """The id of a block, empty before the first."""
    if block is None:
        return {"hash": "", "parts": {"total": 0, "hash": ""}}
    return {"hash": upper(block.hash), "parts": {"total": 1, "hash": upper(block.app_hash)}}


def header(block: StoredBlock, before: StoredBlock | None, chain_id: str) -> dict[str, Any]:
    """A block's header; its hashes are the simulator's own."""
    name = upper(block.hash)
    return {
        "version": {"block": "11"},
        "chain_id": chain_id,
        "height": str(block.height),
        "time": rfc3339(block.time_ns),
        "last_block_id": block_id(before),
        "last_commit_hash": name,
        "data_hash": name,
        "validators_hash": name,
        "next_validators_hash": name,
        "consensus_hash": name,
        "app_hash": upper(block.app_hash),
        "last_results_hash": name,
        "evidence_hash": EMPTY_HASH,
        "proposer_address": name[:40],
    }


def whole_block(block: StoredBlock, before: StoredBlock | None, chain_id: str) -> dict[str, Any]:
    """A block with its transactions."""
    signature = {
        "block_id_flag": 2,
        "validator_address": upper(block.hash)[:40],
        "timestamp": rfc3339(block.time_ns),
        "signature": b64(block.hash * 2),
    }
    return {
        "block_id": block_id(block),
        "block": {
            "header": header(block, before, chain_id),
            "data": {"txs": [b64(tx.data) for tx in block.txs]},
            "evidence": {"evidence": []},
            "last_commit": {
                "height": str(block.height - 1),
                "round": 0,
                "block_id": block_id(before),
                "signatures": [signature] if before else [],
            },
        },
    }
