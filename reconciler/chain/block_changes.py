"""Objects that blocks changed, from events and messages (semantics 3.9). Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError, Message

from reconciler.chain.proto import (
    cosmos_authz_pb2,
    escrow_id_v1_pb2,
    escrow_v1_pb2,
    market_v1beta5_pb2,
    settlement_v1_pb2,
)
from reconciler.chain.rpc import BlockEvent, BlockResults, TxOutcome
from reconciler.chain.transactions import decode_tx, hash_of, unpack_any
from reconciler.chain.transfer_causes import transfer_cause
from reconciler.chain.wire_market import lease_id_of
from reconciler.chain.wire_values import bounded_uve, text_of, uve_in
from reconciler.values.ids import BidId, DeploymentId, LeaseId, OrderId
from reconciler.values.money import normalized, parse_rate
from reconciler.values.observed import SETTLEMENT_MODULE, SignedTransaction, Transfer, TxResult

SILENT_ACTIONS = (
    "/virtengine.market.v1beta5.MsgWithdrawLease",
    "/virtengine.escrow.v1.MsgAccountDeposit",
    "/virtengine.settlement.v1.",
    "/virtengine.audit.v1.",
    "/cosmos.authz.v1beta1.MsgExec",
)
"""Messages whose events do not name their object: the transactions of their block must be read."""

UNREAD_MESSAGES = "/virtengine."
"""An undecodable message of the chain's own modules requires a full view."""

TYPED = ("virtengine.market.", "virtengine.deployment.", "virtengine.provider.")
"""Modules whose events name their object; those of settlement have no type (semantics 5.7)."""

PROPOSAL = "active_proposal"
"""The Cosmos SDK's event of a governance proposal whose voting ended; changed parameters have no other."""

NESTING_MAX = 4
OURS = frozenset({"spender", "receiver", "sender", "recipient", "fee_payer"})


@dataclass(slots=True)
class BlockChanges:
    """IDs to query again, collected block by block for the account `address`.

    `created` are new orders, `orders` older ones; `rival_bids` are the prices of other providers' bids, None
    for a closed one; `closed` is the reason in a lease's closing event; a
    governance proposal may have changed the `rules`; `everything` requires a full view; `transferred` is the
    uve of all `transfers`.
    """

    address: str
    created: set[OrderId] = field(default_factory=set)
    orders: set[OrderId] = field(default_factory=set)
    bids: set[LeaseId] = field(default_factory=set)
    leases: set[LeaseId] = field(default_factory=set)
    deployments: set[DeploymentId] = field(default_factory=set)
    settlement_orders: set[str] = field(default_factory=set)
    settlement_escrows: set[str] = field(default_factory=set)
    usage: set[str] = field(default_factory=set)
    rival_bids: dict[BidId, Decimal | None] = field(default_factory=dict)
    closed: dict[LeaseId, str] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)
    transferred: int = 0
    landed: dict[str, TxResult] = field(default_factory=dict)
    signed: list[SignedTransaction] = field(default_factory=list)
    wallet: bool = False
    provider: bool = False
    rules: bool = False
    all_settlements: bool = False
    everything: bool = False

    @property
    def size(self) -> int:
        """Number of objects to query again."""
        named = len(self.created) + len(self.orders) + len(self.bids) + len(self.leases)
        settled = len(self.settlement_orders) + len(self.settlement_escrows) + len(self.usage)
        return named + len(self.deployments) + settled

    @property
    def is_empty(self) -> bool:
        """Nothing to query again."""
        flags = self.wallet, self.provider, self.rules, self.all_settlements, self.everything
        return not (self.size or any(flags))

    def add_block(self, results: BlockResults, txs: tuple[bytes, ...]) -> None:
        """Add one block; `txs` are its transactions if `needs_transactions`, else empty."""
        before = len(self.transfers)
        self.add_events(results.events, results.height, "")
        self.all_settlements |= any(t.sender == SETTLEMENT_MODULE for t in self.transfers[before:])
        for place, outcome in enumerate(results.txs):
            self._add_transaction(results.height, outcome, txs[place] if place < len(txs) else b"")

    def _add_transaction(self, height: int, outcome: TxOutcome, raw: bytes) -> None:
        name = hash_of(raw) if raw else ""
        ours = self.add_events(outcome.events, height, name, raw)
        if raw and (sequence := _sequence(outcome, self.address)) is not None:
            self.signed.append(SignedTransaction(name, height, sequence))
        if raw and ours:
            self.landed[name] = outcome.result(name, height)
        if raw and outcome.code == 0:
            self._add_messages(raw)

    def _add_messages(self, raw: bytes) -> None:
        try:
            for message in decode_tx(raw).messages:
                self._add_message(message, NESTING_MAX)
        except (ValueError, DecodeError):
            self.everything = True  # an undecodable transaction must not stop the following ones

    def add_events(self, events: Sequence[BlockEvent], height: int, tx: str, raw: bytes = b"") -> bool:
        """Add the events of a transaction, or of a block itself (`tx` ""); whether any is ours. `raw` is the
        transaction, if it is known.
        """
        ours = False
        for place, event in enumerate(events):
            if _is_ours(event, self.address):
                ours = self.wallet = True
                if event.type == "transfer" and (amount := uve_in(event.value("amount"))):
                    ends = text_of(event.value("sender")), text_of(event.value("recipient"))
                    cause = transfer_cause(events, place, raw, self.address)
                    self.transferred = bounded_uve(self.transferred + amount)
                    self.transfers.append(Transfer(height, tx, *ends, amount, cause))
            elif event.type.startswith(TYPED):
                self._add_typed_event(event)
            else:
                self.rules |= event.type == PROPOSAL
        return ours

    def _add_typed_event(self, event: BlockEvent) -> None:
        name = event.type.rpartition(".")[2]
        if name.startswith("EventProvider"):
            self.provider |= _json(event, "owner") == self.address
            return
        try:
            self._add_id(name, json.loads(event.value("id")), event)
        except (ValueError, KeyError, TypeError, AttributeError):
            self.everything = True  # an event in an unknown form

    def _add_id(self, name: str, content: dict[str, str], event: BlockEvent) -> None:
        deployment = DeploymentId(text_of(content["owner"]), int(content["dseq"]))
        if name.startswith(("EventDeployment", "EventGroup")):
            self.deployments.add(deployment)
            return
        order = OrderId(deployment.owner, deployment.dseq, int(content["gseq"]), int(content["oseq"]))
        if name.startswith("EventBid"):
            self._add_bid(LeaseId(order, text_of(content["provider"])), name, event)
            return
        (self.created if name == "EventOrderCreated" else self.orders).add(order)
        self.deployments.add(deployment)
        if name.startswith("EventLease"):
            self._add_lease(LeaseId(order, text_of(content["provider"])), _json(event, "reason"))

    def _add_bid(self, bid: BidId, name: str, event: BlockEvent) -> None:
        self.bids.add(bid)
        if bid.provider != self.address:
            self.rival_bids[bid] = _price(event) if name == "EventBidCreated" else None

    def _add_lease(self, lease: LeaseId, reason: object) -> None:
        self.leases.add(lease)
        self.bids.add(lease)
        if isinstance(reason, str):
            self.closed[lease] = text_of(reason)

    def _add_message(self, message: Message, nesting: int) -> None:
        """Add objects that only the message names."""
        match message:
            case Any():
                self.everything |= message.type_url.startswith(UNREAD_MESSAGES)
            case cosmos_authz_pb2.MsgExec():
                self.everything |= nesting == 0
                for inner in message.msgs if nesting else ():
                    self._add_message(unpack_any(inner), nesting - 1)
            case market_v1beta5_pb2.MsgWithdrawLease():
                self.deployments.add(lease_id_of(message.id).deployment)
            case escrow_v1_pb2.MsgAccountDeposit() if message.id.scope == escrow_id_v1_pb2.deployment:
                owner, _, number = message.id.xid.partition("/")
                self.deployments.add(DeploymentId(text_of(owner), int(number)))
            case settlement_v1_pb2.MsgAcknowledgeUsage():
                self.usage.add(text_of(message.usage_id))
            case _:
                self._add_settlement(message)

    def _add_settlement(self, message: Message) -> None:
        """Add the order or escrow that a settlement message names."""
        if message.DESCRIPTOR.file.package != "virtengine.settlement.v1":
            return
        if (order := getattr(message, "order_id", "")) != "":
            self.settlement_orders.add(text_of(order))
        elif (escrow := getattr(message, "escrow_id", "")) != "":
            self.settlement_escrows.add(text_of(escrow))


def needs_transactions(results: BlockResults, address: str) -> bool:
    """Whether the events are insufficient: one concerns our account, or an action's events do not name its
    object.
    """
    for outcome in results.txs:
        if any(_is_ours(event, address) for event in outcome.events):
            return True
        if outcome.code == 0 and any(action.startswith(SILENT_ACTIONS) for action in _actions(outcome)):
            return True
    return False


def _is_ours(event: BlockEvent, address: str) -> bool:
    if event.type == "tx":
        return event.value("acc_seq").startswith(f"{address}/")
    return any(value == address and key in OURS for key, value in event.attributes)


def _sequence(outcome: TxOutcome, address: str) -> int | None:
    """The sequence of our account that a transaction used; None if it is not ours, or used none."""
    for event in outcome.events:
        owner, _, number = event.value("acc_seq").rpartition("/") if event.type == "tx" else ("", "", "")
        if owner == address and number.isdecimal() and len(number) < 20:
            return int(number)
    return None


def _json(event: BlockEvent, key: str) -> object:
    try:
        return json.loads(event.value(key) or "null")
    except ValueError:
        return None


def _price(event: BlockEvent) -> Decimal | None:
    """The price of a bid in uve a block; None if it is in another denomination."""
    price = _json(event, "price")
    try:
        return (
            normalized(parse_rate(f"{price['amount']}{price['denom']}")) if isinstance(price, dict) else None
        )
    except (KeyError, ValueError):
        return None


def _actions(outcome: TxOutcome) -> Iterator[str]:
    return (event.value("action") for event in outcome.events if event.type == "message")
