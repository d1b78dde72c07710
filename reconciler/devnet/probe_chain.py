"""How the story looks at the chain: its own questions, over plain gRPC and JSON-RPC."""

from __future__ import annotations

import base64
import hashlib
import json
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reconciler.chain.proto import market_v1_pb2, market_v1beta5_pb2, settlement_v1_pb2
from reconciler.chain.stubs import unary
from reconciler.devnet.faults import DevnetError
from reconciler.devnet.node import TenantNode
from reconciler.devnet.tenant import bid_id
from reconciler.devnet.trading import ESCROWS, MARKET, SETTLEMENT, decimal, show

BID = unary(MARKET, market_v1beta5_pb2.QueryBidRequest, market_v1beta5_pb2.QueryBidResponse)
LEASE = unary(MARKET, market_v1beta5_pb2.QueryLeaseRequest, market_v1beta5_pb2.QueryLeaseResponse)
ORDER = unary(MARKET, market_v1beta5_pb2.QueryOrderRequest, market_v1beta5_pb2.QueryOrderResponse)
USAGE = unary(
    SETTLEMENT,
    settlement_v1_pb2.QueryUsageRecordsByOrderRequest,
    settlement_v1_pb2.QueryUsageRecordsByOrderResponse,
)
ANSWER_SECONDS = 10


@dataclass(frozen=True, slots=True)
class BidSeen:
    """A bid: its state and price in uve a block, and the state of the account that holds its deposit."""

    state: str
    price: Decimal
    deposit_state: str


@dataclass(frozen=True, slots=True)
class LeaseSeen:
    """A lease: its state, its height of making, and what was drawn from it so far, gross uve."""

    state: str
    created_at: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """One transaction in a block: who paid its fee, what its messages were, and the coins that it moved."""

    hash: str
    height: int
    code: int
    payer: str
    fee: int
    actions: tuple[str, ...]
    moves: tuple[tuple[str, str, int], ...]


class ChainProbe:
    """Looks only; blocks that were read are remembered, as they never change."""

    def __init__(self, node: TenantNode, rpc_url: str) -> None:
        self.node = node
        self._rpc_url = rpc_url
        self._read: list[ChainEvent] = []
        self._next = 1

    def order_state(self, order: market_v1_pb2.OrderID) -> str:
        """`open`, `active` or `closed`; "" where there is no such order."""
        found = self.node.find(ORDER, market_v1beta5_pb2.QueryOrderRequest(id=order))
        return type(found.order).State.Name(found.order.state) if found else ""

    def bid(self, order: market_v1_pb2.OrderID, provider: str, height: int = 0) -> BidSeen | None:
        """A provider's bid on an order, as it was at a height (0: now)."""
        request = market_v1beta5_pb2.QueryBidRequest(id=bid_id(order, provider))
        found = self.node.find(BID, request, height)
        if found is None:
            return None
        account = found.escrow_account.state
        return BidSeen(
            type(found.bid).State.Name(found.bid.state),
            decimal(found.bid.price.amount),
            _escrow_state(account.state),
        )

    def lease(self, order: market_v1_pb2.OrderID, provider: str) -> LeaseSeen | None:
        """A provider's lease of an order."""
        lease = market_v1_pb2.LeaseID(
            owner=order.owner, dseq=order.dseq, gseq=order.gseq, oseq=order.oseq, provider=provider
        )
        found = self.node.find(LEASE, market_v1beta5_pb2.QueryLeaseRequest(id=lease))
        if found is None:
            return None
        state = type(found.lease).State.Name(found.lease.state)
        withdrawn = int(found.escrow_payment.state.withdrawn.amount or "0")
        return LeaseSeen(state, found.lease.created_at, withdrawn)

    def settlement_escrow(self, order: market_v1_pb2.OrderID) -> settlement_v1_pb2.EscrowAccount | None:
        """The settlement escrow for an order."""
        request = settlement_v1_pb2.QueryEscrowsByOrderRequest(order_id=show(order))
        return next(iter(self.node.ask(ESCROWS, request).escrows), None)

    def usage(self, order: market_v1_pb2.OrderID) -> tuple[settlement_v1_pb2.UsageRecord, ...]:
        """Usage records of an order, each once: the chain lists a settled one twice (semantics 5.4)."""
        request = settlement_v1_pb2.QueryUsageRecordsByOrderRequest(order_id=show(order))
        records = {r.usage_id: r for r in self.node.ask(USAGE, request).usage_records}
        return tuple(records.values())

    def happenings(self) -> tuple[ChainEvent, ...]:
        """Every transaction in every block so far."""
        height = self.node.height()
        while self._next <= height:
            self._read.extend(self._block(self._next))
            self._next += 1
        return tuple(self._read)

    def _block(self, height: int) -> list[ChainEvent]:
        results = self._call("block_results", height).get("txs_results") or []
        if not results:
            return []
        bodies = self._call("block", height)["block"]["data"]["txs"]
        return [_happening(height, body, told) for body, told in zip(bodies, results, strict=True)]

    def _call(self, method: str, height: int) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"height": str(height)}}
        asked = urllib.request.Request(  # noqa: S310  # the devnet's own http address
            self._rpc_url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=ANSWER_SECONDS) as answer:  # noqa: S310  # likewise
                return json.load(answer)["result"]
        except (OSError, ValueError, KeyError) as error:
            raise DevnetError(f"{self._rpc_url} does not tell block {height}: {error}") from None


def _escrow_state(number: int) -> str:
    return ("", "open", "closed", "overdrawn")[number]


def _happening(height: int, body: str, told: dict[str, Any]) -> ChainEvent:
    events = [
        (e.get("type", ""), {a["key"]: a.get("value", "") for a in e.get("attributes", ())})
        for e in told.get("events") or ()
    ]
    paid = next((e for kind, e in events if kind == "tx" and "fee" in e), {})
    return ChainEvent(
        hash=_hash(body),
        height=height,
        code=int(told.get("code") or 0),
        payer=paid.get("fee_payer", ""),
        fee=_uve(paid.get("fee", "")),
        actions=tuple(
            e["action"].rpartition(".")[2] for kind, e in events if kind == "message" and "action" in e
        ),
        moves=tuple(
            (e["sender"], e["recipient"], _uve(e["amount"])) for kind, e in events if kind == "transfer"
        ),
    )


def _hash(body: str) -> str:
    return hashlib.sha256(base64.b64decode(body)).hexdigest().upper()


def _uve(text: str) -> int:
    return int(text.removesuffix("uve") or "0")
