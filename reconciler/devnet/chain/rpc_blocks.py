"""The JSON-RPC methods about blocks and transactions (semantics 8)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from reconciler.devnet.chain import rpc_json as shapes
from reconciler.devnet.chain.blocks import StoredBlock
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.rpc_errors import INVALID, Params, RpcError, conditions, internal, page
from reconciler.devnet.chain.tx_search import matches, tags

BASE64_HASH_CHARACTERS = 44
"""A hash in base64 may begin with 0x, too."""


class BlockMethods:
    """The methods of one node."""

    def __init__(self, chain: SimulatedChain) -> None:
        self._reading = chain.reading

    def block(self, params: Params) -> Any:
        """A block."""
        block = self.at(params)
        before = self._reading.block(block.height - 1)
        return shapes.whole_block(block, before, self._reading.chain_id)

    def block_results(self, params: Params) -> Any:
        """The results of a block's transactions, and the events of its beginning and end."""
        block = self.at(params)
        return {
            "height": str(block.height),
            "txs_results": [shapes.result(tx.outcome) for tx in block.txs] or None,
            "finalize_block_events": shapes.events(block.events),
            "validator_updates": None,
            "consensus_param_updates": {**_CONSENSUS, "version": {}, "abci": {}},
            "app_hash": shapes.b64(block.app_hash),
        }

    def block_search(self, params: Params) -> Any:
        """Blocks by conditions on `block.height`, on request the newest first."""
        wanted = conditions(params)
        found = [b for b in self._reading if matches(wanted, {"block.height": [str(b.height)]})]
        if params.get("order_by") == "desc":
            found.reverse()
        before = self._reading.block
        shown = [
            shapes.whole_block(b, before(b.height - 1), self._reading.chain_id) for b in page(found, params)
        ]
        return {"blocks": shown, "total_count": str(len(found))}

    def tx(self, params: Params) -> Any:
        """A transaction by its hash, base64 in a body and 0x-hex in an address."""
        given = str(params.get("hash", ""))
        try:
            is_hex = given.startswith("0x") and len(given) != BASE64_HASH_CHARACTERS
            hash_ = bytes.fromhex(given[2:]) if is_hex else base64.b64decode(given)
        except (ValueError, binascii.Error) as error:
            raise RpcError(INVALID, "Invalid params", f"error converting: {error}") from error
        found = self._reading.find(shapes.upper(hash_))
        if found is None:
            raise internal(f"tx ({shapes.upper(hash_)}) not found")
        return shapes.transaction(found)

    def tx_search(self, params: Params) -> Any:
        """Transactions whose events match a query."""
        wanted = conditions(params)
        found = [tx for block in self._reading for tx in block.txs if matches(wanted, tags(tx))]
        if params.get("order_by") == "desc":
            found.reverse()
        shown = [shapes.transaction(tx) for tx in page(found, params)]
        return {"txs": shown, "total_count": str(len(found))}

    def consensus_params(self, params: Params) -> Any:
        """The limits of a block."""
        more = {"version": {"app": "0"}, "abci": {"vote_extensions_enable_height": "0"}}
        return {
            "block_height": str(self.at(params).height),
            "consensus_params": {**_CONSENSUS, **more},
        }

    def at(self, params: Params) -> StoredBlock:
        """The block at the requested height, by default the newest."""
        newest = self._reading.height - self._reading.faults.rpc_lag
        height = int(params.get("height") or newest)
        if height > newest:
            words = f"height {height} must be less than or equal to the current blockchain height {newest}"
            raise internal(words)
        found = self._reading.block(height)
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
