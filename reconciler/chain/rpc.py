"""CometBFT's JSON-RPC over HTTP, with bounds on seconds and bytes (semantics 8)."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from reconciler.chain.call_deadline import CallDeadline
from reconciler.chain.node_errors import NodeError, NodeRefusedError, TooLargeError, refused
from reconciler.chain.wire_values import text_of
from reconciler.values.observed import TxResult
from reconciler.values.refusals import first_line

BYTES_MAX = 40 << 20
"""Largest accepted response; a block has at most 22 MB (semantics 1.3), 30 MB in base64."""

STATUS_BYTES_MAX = 1 << 20
SEARCH_ROWS = 100
"""Rows of one page of a search; CometBFT's maximum."""
EPOCH = "1970-01-01T00:00:00Z"
REACH = "check that the node runs and is reachable"


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """Status of a node: chain, last and earliest block; times in unix seconds."""

    chain_id: str
    height: int
    time: float
    catching_up: bool
    earliest_height: int
    earliest_time: float
    indexing: bool


@dataclass(frozen=True, slots=True)
class BlockEvent:
    """One event, attributes in order; `tx` is the transaction's index, -1 for events of the block itself."""

    type: str
    attributes: tuple[tuple[str, str], ...]
    tx: int = -1

    def value(self, key: str) -> str:
        """The first value of a key; empty if there is none."""
        return next((value for name, value in self.attributes if name == key), "")


@dataclass(frozen=True, slots=True)
class TxOutcome:
    """Result of one transaction."""

    code: int
    codespace: str
    log: str
    events: tuple[BlockEvent, ...]
    gas_used: int = 0

    def result(self, tx_hash: str, height: int) -> TxResult:
        """The result of the transaction with this hash in a block."""
        return TxResult(tx_hash, height, self.code, self.codespace, self.log, self.gas_used)


@dataclass(frozen=True, slots=True)
class BlockResults:
    """Results of a block: of its transactions in order, and the events of its begin and end."""

    height: int
    txs: tuple[TxOutcome, ...]
    events: tuple[BlockEvent, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One block's time in unix seconds, and its transactions' bytes."""

    height: int
    time: float
    txs: tuple[bytes, ...]


class Rpc:
    """A client for a node's RPC address, `http://host:26657` or https; each call uses its own connection.

    Certificates are verified against `authorities` (PEM; empty: those of the system).
    """

    def __init__(
        self,
        url: str,
        timeout_seconds: float = 10,
        bytes_max: int = BYTES_MAX,
        authorities: str = "",
        deadline: CallDeadline | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not an RPC address; write http://host:26657")
        self.url = url
        self._parts = parts
        self._timeout_seconds = timeout_seconds
        self._deadline = deadline or CallDeadline()
        self._bytes_max = bytes_max
        self._tls = (
            ssl.create_default_context(cadata=authorities or None) if parts.scheme == "https" else None
        )

    def status(self) -> NodeStatus:
        """The node's status."""
        answer = self.call("status", bytes_max=min(STATUS_BYTES_MAX, self._bytes_max))
        try:
            sync, node = answer["sync_info"], answer["node_info"]
            return NodeStatus(
                chain_id=text_of(str(node["network"])),
                height=int(sync["latest_block_height"]),
                time=unix_seconds(sync["latest_block_time"]),
                catching_up=bool(sync["catching_up"]),
                earliest_height=int(sync.get("earliest_block_height") or 1),
                earliest_time=unix_seconds(sync.get("earliest_block_time") or EPOCH),
                indexing=node.get("other", {}).get("tx_index", "on") != "off",
            )
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreadable("status", error) from error

    def block(self, height: int) -> Block:
        """One block; NodeRefusedError if the node does not have it."""
        answer = self.call("block", {"height": str(height)})
        try:
            block = answer["block"]
            txs = tuple(b64decode(each) for each in block["data"].get("txs") or ())
            return Block(int(block["header"]["height"]), unix_seconds(block["header"]["time"]), txs)
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreadable(f"block {height}", error) from error

    def transaction(self, tx_hash: str) -> TxResult | None:
        """A transaction's result from the node's index, which may reach further back than its blocks; None if
        it is in no block up to the index's height.
        """
        try:
            answer = self.call("tx", {"hash": b64encode(bytes.fromhex(tx_hash)).decode()})
        except NodeRefusedError as error:
            if "not found" in error.text:
                return None
            raise
        try:
            return _outcome(0, answer["tx_result"]).result(tx_hash, int(answer["height"]))
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreadable(f"transaction {tx_hash}", error) from error

    def search(self, query: str, page: int) -> tuple[tuple[str, int, TxOutcome], ...]:
        """One page of the indexed transactions that match, oldest first: hash, height, outcome."""
        params = {"query": query, "page": str(page), "per_page": str(SEARCH_ROWS), "order_by": "asc"}
        answer = self.call("tx_search", params)
        try:
            return tuple(
                (text_of(str(each["hash"])), int(each["height"]), _outcome(0, each["tx_result"]))
                for each in answer["txs"] or ()
            )
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreadable("search result", error) from error

    def block_results(self, height: int) -> BlockResults:
        """Results of a block; NodeRefusedError if the node does not have them (they may be pruned)."""
        answer = self.call("block_results", {"height": str(height)})
        try:
            outcomes = tuple(_outcome(place, each) for place, each in enumerate(answer["txs_results"] or ()))
            return BlockResults(
                int(answer["height"]), outcomes, _events(answer.get("finalize_block_events") or (), -1)
            )
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreadable(f"results of block {height}", error) from error

    def call(self, method: str, params: dict[str, str] | None = None, bytes_max: int = 0) -> Any:
        """The result of one call; NodeRefusedError if the node rejects it, NodeError for other failures."""
        request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}})
        try:
            answer = json.loads(self._post(request.encode(), bytes_max or self._bytes_max))
            refusal, result = answer.get("error"), answer.get("result")
        except (ValueError, AttributeError, RecursionError) as error:
            raise self._unreadable(method, error) from error
        if refusal:
            raise refused(
                method, str(refusal.get("code")), str(refusal.get("data") or refusal.get("message"))
            )
        return result

    def _post(self, body: bytes, bytes_max: int) -> bytes:
        timeout = self._deadline.bound(self._timeout_seconds)
        connection = self._connect(timeout)
        try:
            path = self._parts.path or "/"
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            content = self._read(response, timeout, bytes_max)
        except (OSError, http.client.HTTPException) as error:
            raise NodeError(f"{self.url} does not answer: {_words(error)}; {REACH}") from error
        finally:
            connection.close()
        return content

    def _read(self, response: http.client.HTTPResponse, timeout: float, bytes_max: int) -> bytes:
        """The body, within the time and size limit; a socket's timeout applies per packet."""
        deadline = monotonic() + timeout
        content = bytearray()
        while piece := response.read1(1 << 16):
            content += piece
            if len(content) > bytes_max:
                raise TooLargeError(f"{self.url} sent more than {bytes_max} bytes")
            if monotonic() > deadline:
                raise NodeError(f"{self.url} does not answer in {timeout:.1f} s; {REACH}")
        return bytes(content)

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._tls is not None:
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=timeout)

    def _unreadable(self, what: str, error: Exception) -> NodeError:
        return NodeError(f"{self.url} sent an unreadable {what}: {_words(error)}")


def unix_seconds(text: str) -> float:
    """A block's time in unix seconds, to the microsecond."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{(fraction + '000000')[:6]}+00:00").timestamp()


def _outcome(place: int, wire: dict[str, Any]) -> TxOutcome:
    return TxOutcome(
        code=int(wire.get("code") or 0),
        codespace=text_of(str(wire.get("codespace") or "")),
        log=first_line(str(wire.get("log") or "")),
        events=_events(wire.get("events") or (), place),
        gas_used=int(wire.get("gas_used") or 0),
    )


def _events(wire: Any, place: int) -> tuple[BlockEvent, ...]:
    return tuple(
        BlockEvent(
            str(each.get("type") or ""),  # a node omits an empty type (semantics 5.7)
            tuple((str(a["key"]), str(a.get("value") or "")) for a in each.get("attributes") or ()),
            place,
        )
        for each in wire
    )


def _words(error: Exception) -> str:
    if isinstance(error, socket.timeout | TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
