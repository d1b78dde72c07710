"""The JSON-RPC methods of the simulated node (semantics 8)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import grpc

from reconciler.devnet.chain import rpc_json as shapes
from reconciler.devnet.chain.errors import QueryError, TxRefusedError
from reconciler.devnet.chain.mempool import SeenBeforeError, TxTooLargeError
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.queries_node import VERSION
from reconciler.devnet.chain.rpc_blocks import BlockMethods
from reconciler.devnet.chain.rpc_errors import INVALID, UNKNOWN, Params, RpcError, internal


class RpcMethods:
    """Every method of one node."""

    def __init__(self, chain: SimulatedChain) -> None:
        self._chain = chain
        self.blocks = BlockMethods(chain)
        self._methods: dict[str, Callable[[Params], Any]] = {
            "status": self.status,
            "health": lambda _: {},
            "block": self.blocks.block,
            "block_results": self.blocks.block_results,
            "block_search": self.blocks.block_search,
            "tx": self.blocks.tx,
            "tx_search": self.blocks.tx_search,
            "broadcast_tx_sync": self.broadcast,
            "broadcast_tx_async": self.broadcast,
            "abci_query": self.abci_query,
            "abci_info": self.abci_about,
            "consensus_params": self.blocks.consensus_params,
            "net_info": self.net,
            "unconfirmed_txs": self.unconfirmed,
            "num_unconfirmed_txs": self.unconfirmed,
            "virtengine": lambda _: {"client_info": {"api_version": "v1beta3"}},
        }

    def call(self, method: str, params: Params) -> Any:
        """The result of a method; raises the node's RpcError."""
        found = self._methods.get(method)
        if found is None:
            raise RpcError(UNKNOWN, "Method not found")
        with self._chain.lock:
            return found(params)

    def status(self, _: Params) -> Any:
        """The node's identity and newest block."""
        block, first = self.blocks.at({}), self._chain.reading.block(self._chain.reading.first)
        assert first is not None
        return {
            "node_info": {**_NODE, "network": self._chain.reading.chain_id},
            "sync_info": {
                "latest_block_hash": shapes.upper(block.hash),
                "latest_app_hash": shapes.upper(block.app_hash),
                "latest_block_height": str(self._chain.faults.shown_height or block.height),
                "latest_block_time": shapes.rfc3339(block.time_ns),
                "earliest_block_hash": shapes.upper(first.hash),
                "earliest_app_hash": shapes.EMPTY_HASH,
                "earliest_block_height": str(first.height),
                "earliest_block_time": shapes.rfc3339(first.time_ns),
                "catching_up": self._chain.faults.catching_up,
            },
            "validator_info": {
                "address": "5" * 40,
                "pub_key": {"type": "tendermint/PubKeyEd25519", "value": shapes.b64(bytes(32))},
                "voting_power": "10000",
            },
        }

    def broadcast(self, params: Params) -> Any:
        """Broadcast a transaction; the result of its check."""
        try:
            data = base64.b64decode(str(params.get("tx", "")), validate=True)
        except binascii.Error as error:
            place = _bad_place(str(params.get("tx", "")))
            words = f"error converting json params to arguments: illegal base64 data at input byte {place}"
            raise RpcError(INVALID, "Invalid params", words) from error
        try:
            checked = self._chain.check_tx(data)
        except SeenBeforeError as error:
            raise internal("tx already exists in cache") from error
        except TxTooLargeError as error:
            raise internal(str(error)) from error
        return {
            "code": checked.code,
            "data": "",
            "log": checked.log,
            "codespace": checked.codespace,
            "hash": checked.hash,
        }

    def abci_query(self, params: Params) -> Any:
        """A gRPC query by path, its request in hex."""
        path, height = str(params.get("path", "")), int(params.get("height") or 0)
        answer = {"code": 0, "log": "", "info": "", "index": "0", "key": None, "value": None}
        answer |= {"proofOps": None, "height": str(height or self._chain.reading.height), "codespace": ""}
        if not self._chain.queries.knows(path):
            answer |= {"code": 6, "log": "unknown query path: unknown request"}
            return {"response": answer | {"codespace": "sdk", "height": "0"}}
        try:
            value = self._chain.query(path, _hex(str(params.get("data") or "")), height)
        except (TxRefusedError, QueryError) as error:
            code, log = _abci_refusal(error)
            return {"response": answer | {"code": code, "log": log, "codespace": "sdk"}}
        return {"response": answer | {"value": shapes.b64(value) if value else None}}

    def abci_about(self, _: Params) -> Any:
        """The application's name and height."""
        block = self.blocks.at({})
        return {
            "response": {
                "data": "virtengine",
                "last_block_height": str(block.height),
                "last_block_app_hash": shapes.b64(block.app_hash),
            }
        }

    def net(self, _: Params) -> Any:
        """No peers."""
        return {"listening": True, "listeners": ["Listener(@)"], "n_peers": "0", "peers": []}

    def unconfirmed(self, params: Params) -> Any:
        """The transactions of the mempool."""
        waiting = [tx.data for tx in self._chain.mempool.waiting.values()]
        shown = waiting[: int(params.get("limit") or 30)]
        return {
            "n_txs": str(len(shown)),
            "total": str(len(waiting)),
            "total_bytes": str(sum(map(len, waiting))),
            "txs": [shapes.b64(data) for data in shown],
        }


_NODE = {
    "protocol_version": {"p2p": "8", "block": "11", "app": "0"},
    "id": "5" * 40,
    "listen_addr": "tcp://127.0.0.1:26656",
    "network": "",  # the chain id, at its position among the fields
    "version": VERSION,
    "channels": "40202122233038606100",
    "moniker": "simulator",
    "other": {"tx_index": "on", "rpc_address": "tcp://127.0.0.1:26657"},
}

_SDK_CODES = {
    grpc.StatusCode.NOT_FOUND: (22, "key not found"),
    grpc.StatusCode.UNAUTHENTICATED: (4, "unauthorized"),
}


def _abci_refusal(error: TxRefusedError | QueryError) -> tuple[int, str]:
    """A gRPC error as in abci_query, with the SDK's code for its status."""
    code, words = _SDK_CODES.get(error.status, (18, "invalid request"))
    if isinstance(error, TxRefusedError) and error.codespace == "sdk":
        return error.code, error.text
    text = error.text
    if isinstance(error, QueryError):
        name = "".join(part.title() for part in error.status.name.split("_"))
        text = f"rpc error: code = {name} desc = {error.text}"
    return code, f"{text}: {words}"


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        words = f"error converting json params to arguments: encoding/hex: {error}"
        raise RpcError(INVALID, "Invalid params", words) from error


def _bad_place(text: str) -> int:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
    return next((place for place, sign in enumerate(text) if sign not in alphabet), len(text))
