"""Subscriptions of one websocket to new headers and transactions (semantics 8)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.devnet.chain import rpc_json as shapes
from reconciler.devnet.chain.blocks import Included, StoredBlock
from reconciler.devnet.chain.errors import TxRefusedError
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.rpc_errors import UNKNOWN, RpcError, internal
from reconciler.devnet.chain.tx_search import SearchCondition, matches, parse, tags

SOCKET_METHODS = ("subscribe", "unsubscribe", "unsubscribe_all")
_MOST = 5


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription: its query, and the id of its messages."""

    id: Any
    query: str
    conditions: tuple[SearchCondition, ...]


class Subscriptions:
    """The subscriptions of one client, and its position in the chain."""

    def __init__(self, chain: SimulatedChain) -> None:
        self._chain = chain
        self._lock = threading.Lock()
        self._wanted: dict[str, Subscription] = {}
        self.height = chain.reading.height

    def call(self, request: dict[str, Any]) -> Any:
        """Subscribe or unsubscribe; raises the node's RpcError."""
        method, query = request.get("method"), str((request.get("params") or {}).get("query", ""))
        with self._lock:
            if method == "subscribe":
                return self._subscribe(request.get("id"), query)
            if method == "unsubscribe":
                if self._wanted.pop(query, None) is None:
                    raise internal("subscription not found")
                return {}
            if method == "unsubscribe_all":
                self._wanted.clear()
                return {}
        raise RpcError(UNKNOWN, "Method not found")

    def new_messages(self) -> Iterator[str]:
        """The messages about blocks since the last call, as texts."""
        newest = self._chain.reading.height
        while self.height < newest:
            self.height += 1
            block = self._chain.reading.block(self.height)
            with self._lock:
                wanted = list(self._wanted.values())
            if block is not None and wanted:
                yield from self._of_block(block, wanted)

    def _subscribe(self, id_: Any, query: str) -> dict[str, Any]:
        try:
            conditions = parse(query)
        except TxRefusedError as refusal:
            raise internal(f"failed to parse query: {refusal.text}") from refusal
        if query in self._wanted:
            raise internal("already subscribed")
        if len(self._wanted) >= _MOST:
            raise internal(f"max_subscriptions_per_client {_MOST} reached")
        self._wanted[query] = Subscription(id_, query, tuple(conditions))
        return {}

    def _of_block(self, block: StoredBlock, wanted: list[Subscription]) -> Iterator[str]:
        for tx in block.txs:
            marks = {"tm.event": ["Tx"], **tags(tx)}
            yield from _messages(wanted, marks, "Tx", {"TxResult": _result(tx)})
        before = self._chain.reading.block(block.height - 1)
        header = {"header": shapes.header(block, before, self._chain.reading.chain_id)}
        yield from _messages(wanted, {"tm.event": ["NewBlockHeader"]}, "NewBlockHeader", header)


def _messages(
    wanted: list[Subscription], marks: dict[str, list[str]], kind: str, value: dict[str, Any]
) -> Iterator[str]:
    for one in wanted:
        if matches(one.conditions, marks):
            data = {"type": f"tendermint/event/{kind}", "value": value}
            result = {"query": one.query, "data": data, "events": marks}
            yield json.dumps({"jsonrpc": "2.0", "id": one.id, "result": result}, separators=(",", ":"))


def _result(tx: Included) -> dict[str, Any]:
    """A transaction without zero fields such as index 0 and code 0."""
    outcome = {
        key: value for key, value in shapes.result(tx.outcome).items() if value not in (0, "", None, [])
    }
    found = {"height": str(tx.height), "index": tx.index, "tx": shapes.b64(tx.data), "result": outcome}
    return {key: value for key, value in found.items() if value != 0}
