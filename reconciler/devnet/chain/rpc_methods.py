"""The JSON-RPC methods of the simulated node (semantics 8)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import grpc

from reconciler.devnet.chain import rpc_json as shapes
from reconciler.devnet.chain.blocks import Block
from reconciler.devnet.chain.errors import QueryError, RefusedError
from reconciler.devnet.chain.mempool import SeenBeforeError
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.queries_node import VERSION
from reconciler.devnet.chain.tx_search import Condition, matches, parse, tags

Params = Mapping[str, Any]
T = TypeVar("T")
_INTERNAL, _INVALID, _UNKNOWN = -32603, -32602, -32601
_MOST_PER_PAGE = 100


class RpcError(Exception):
    """A JSON-RPC error: code, message, and what is wrong."""

    def __init__(self, code: int, message: str, data: str = "") -> None:
        super().__init__(data or message)
        self.code, self.message, self.data = code, message, data


def internal(data: str) -> RpcError:
    """Something the node could not do."""
    return RpcError(_INTERNAL, "Internal error", data)


class RpcMethods:
    """Every method of one node."""

    def __init__(self, chain: SimulatedChain) -> None:
        self._chain = chain
        self._methods: dict[str, Callable[[Params], Any]] = {
            "status": self.status,
            "health": lambda _: {},
            "block": self.block,
            "block_results": self.block_results,
            "block_search": self.block_search,
            "tx": self.tx,
            "tx_search": self.tx_search,
            "broadcast_tx_sync": self.broadcast,
            "broadcast_tx_async": self.broadcast,
            "abci_query": self.abci_query,
            "abci_info": self.abci_about,
            "consensus_params": self.consensus_params,
            "net_info": self.net,
            "unconfirmed_txs": self.unconfirmed,
            "num_unconfirmed_txs": self.unconfirmed,
            "virtengine": lambda _: {"client_info": {"api_version": "v1beta3"}},
        }

    def call(self, method: str, params: Params) -> Any:
        """The result of a method; RpcError as the node answers."""
        found = self._methods.get(method)
        if found is None:
            raise RpcError(_UNKNOWN, "Method not found")
        with self._chain.lock:
            return found(params)

    def status(self, params: Params) -> Any:
        """Who the node is and how far it is."""
        del params
        block, first = self._block({}), self._chain.ledger.block(self._chain.ledger.first)
        assert first is not None
        return {
            "node_info": {
                "protocol_version": {"p2p": "8", "block": "11", "app": "0"},
                "id": "5" * 40,
                "listen_addr": "tcp://127.0.0.1:26656",
                "network": self._chain_id,
                "version": VERSION,
                "channels": "40202122233038606100",
                "moniker": "simulator",
                "other": {"tx_index": "on", "rpc_address": "tcp://127.0.0.1:26657"},
            },
            "sync_info": {
                "latest_block_hash": shapes.upper(block.hash),
                "latest_app_hash": shapes.upper(block.app_hash),
                "latest_block_height": str(block.height),
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

    def block(self, params: Params) -> Any:
        """A block."""
        block = self._block(params)
        before = self._chain.ledger.block(block.height - 1)
        return shapes.whole_block(block, before, self._chain_id)

    def block_results(self, params: Params) -> Any:
        """What the transactions of a block came to, and what happened without any."""
        block = self._block(params)
        return {
            "height": str(block.height),
            "txs_results": [shapes.result(tx.outcome) for tx in block.txs] or None,
            "finalize_block_events": shapes.events(block.events),
            "validator_updates": None,
            "consensus_param_updates": {**_CONSENSUS, "version": {}, "abci": {}},
            "app_hash": shapes.b64(block.app_hash),
        }

    def block_search(self, params: Params) -> Any:
        """Blocks by conditions on `block.height`, the newest first if asked so."""
        conditions = _conditions(params)
        found = [b for b in self._chain.ledger if matches(conditions, {"block.height": [str(b.height)]})]
        if params.get("order_by") == "desc":
            found.reverse()
        before = self._chain.ledger.block
        shown = [shapes.whole_block(b, before(b.height - 1), self._chain_id) for b in _page(found, params)]
        return {"blocks": shown, "total_count": str(len(found))}

    def tx(self, params: Params) -> Any:
        """A transaction by its hash, base64 in a body and 0x-hex in an address."""
        given = str(params.get("hash", ""))
        try:
            hash_ = bytes.fromhex(given[2:]) if given.startswith("0x") else base64.b64decode(given)
        except (ValueError, binascii.Error) as error:
            raise RpcError(_INVALID, "Invalid params", f"error converting: {error}") from error
        found = self._chain.ledger.find(shapes.upper(hash_))
        if found is None:
            raise internal(f"tx ({shapes.upper(hash_)}) not found")
        return shapes.transaction(found)

    def tx_search(self, params: Params) -> Any:
        """Transactions whose events fit a query."""
        conditions = _conditions(params)
        found = [tx for block in self._chain.ledger for tx in block.txs if matches(conditions, tags(tx))]
        if params.get("order_by") == "desc":
            found.reverse()
        shown = [shapes.transaction(tx) for tx in _page(found, params)]
        return {"txs": shown, "total_count": str(len(found))}

    def broadcast(self, params: Params) -> Any:
        """Take a transaction; what the check says."""
        try:
            data = base64.b64decode(str(params.get("tx", "")), validate=True)
        except binascii.Error as error:
            place = _bad_place(str(params.get("tx", "")))
            words = f"error converting json params to arguments: illegal base64 data at input byte {place}"
            raise RpcError(_INVALID, "Invalid params", words) from error
        try:
            checked = self._chain.check_tx(data)
        except SeenBeforeError as error:
            raise internal("tx already exists in cache") from error
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
        answer |= {"proofOps": None, "height": str(height or self._chain.height), "codespace": ""}
        if not self._chain.queries.knows(path):
            answer |= {"code": 6, "log": "unknown query path: unknown request"}
            return {"response": answer | {"codespace": "sdk", "height": "0"}}
        try:
            value = self._chain.query(path, _hex(str(params.get("data") or "")), height)
        except (RefusedError, QueryError) as error:
            code, log = _abci_refusal(error)
            return {"response": answer | {"code": code, "log": log, "codespace": "sdk"}}
        return {"response": answer | {"value": shapes.b64(value) if value else None}}

    def abci_about(self, params: Params) -> Any:
        """The application's name and height."""
        del params
        block = self._block({})
        return {
            "response": {
                "data": "virtengine",
                "last_block_height": str(block.height),
                "last_block_app_hash": shapes.b64(block.app_hash),
            }
        }

    def consensus_params(self, params: Params) -> Any:
        """The limits of a block."""
        more = {"version": {"app": "0"}, "abci": {"vote_extensions_enable_height": "0"}}
        return {
            "block_height": str(self._block(params).height),
            "consensus_params": {**_CONSENSUS, **more},
        }

    def net(self, params: Params) -> Any:
        """Peers: none."""
        del params
        return {"listening": True, "listeners": ["Listener(@)"], "n_peers": "0", "peers": []}

    def unconfirmed(self, params: Params) -> Any:
        """What waits for a block."""
        waiting = [tx.data for tx in self._chain.mempool.waiting.values()]
        shown = waiting[: int(params.get("limit") or 30)]
        return {
            "n_txs": str(len(shown)),
            "total": str(len(waiting)),
            "total_bytes": str(sum(map(len, waiting))),
            "txs": [shapes.b64(data) for data in shown],
        }

    @property
    def _chain_id(self) -> str:
        return self._chain.faults.shown_chain_id or self._chain.genesis.chain_id

    def _block(self, params: Params) -> Block:
        newest = max(self._chain.height - self._chain.faults.lag, 1)
        height = int(params.get("height") or newest)
        if height > newest:
            words = f"height {height} must be less than or equal to the current blockchain height {newest}"
            raise internal(words)
        found = self._chain.ledger.block(height)
        if found is None:
            raise internal(f"could not find results for height #{height}")
        return found


_CONSENSUS = {
    "block": {"max_bytes": "22020096", "max_gas": "-1"},
    "evidence": {
        "max_age_num_blocks": "100000",
        "max_age_duration": "172800000000000",
        "max_bytes": "1048576",
    },
    "validator": {"pub_key_types": ["ed25519"]},
}

_SDK_CODES = {
    grpc.StatusCode.NOT_FOUND: (22, "key not found"),
    grpc.StatusCode.UNAUTHENTICATED: (4, "unauthorized"),
}


def _abci_refusal(error: RefusedError | QueryError) -> tuple[int, str]:
    """A gRPC error as abci_query shows it: the SDK's code for its status."""
    code, words = _SDK_CODES.get(error.status, (18, "invalid request"))
    if isinstance(error, RefusedError) and error.codespace == "sdk":
        return error.code, error.text
    text = error.text
    if isinstance(error, QueryError):
        name = "".join(part.title() for part in error.status.name.split("_"))
        text = f"rpc error: code = {name} desc = {error.text}"
    return code, f"{text}: {words}"


def _conditions(params: Params) -> list[Condition]:
    try:
        return parse(str(params.get("query", "")))
    except RefusedError as refusal:
        raise internal(refusal.text) from refusal


def _page(found: list[T], params: Params) -> list[T]:
    size = min(int(params.get("per_page") or 30), _MOST_PER_PAGE)
    start = (int(params.get("page") or 1) - 1) * size
    return found[start : start + size]


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        words = f"error converting json params to arguments: encoding/hex: {error}"
        raise RpcError(_INVALID, "Invalid params", words) from error


def _bad_place(text: str) -> int:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
    return next((place for place, sign in enumerate(text) if sign not in alphabet), len(text))
