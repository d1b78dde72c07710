"""Invariants of bids, deposits, usage records and the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import TypeGuard

import yaml
from google.protobuf.message import Message

from reconciler.chain.proto import market_v1beta5_pb2
from reconciler.chain.transactions import decode_tx
from reconciler.chain.wire_market import lease_id_of, order_id_of
from reconciler.devnet.chain import bank
from reconciler.devnet.chain.tables import USAGE
from reconciler.values.ids import OrderId
from reconciler.values.ledger import EntryKind
from reconciler.values.messages import CreateBid
from reconciler.values.plans import SendTransaction
from tests.simulation.seeded import disorder
from tests.simulation.seeded.turn import Deadline, Invariant, Turn, seen_now
from tests.simulation.seeded.world import OURS, World

INTENT_BLOCKS = 25
"""A transaction expires 20 blocks after it was signed."""


class NoOrderIsBidTwice(Invariant):
    """At most one of our bids on an order is in a block: even a refused one costs its fee."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._bids: set[OrderId] = set()

    def check(self, turn: Turn) -> Iterator[str]:
        for name in [name for name in turn.world.sent if name not in self._seen]:
            self._seen.add(name)
            included = turn.world.chain.ledger.find(name)
            orders = {order_id_of(m.id) for m in decode_tx(turn.world.sent[name]).messages if is_bid(m)}
            for order in sorted(orders & self._bids):
                yield f"{order} has a bid, and another one was sent"
            if included is not None and included.outcome.code == 0:
                self._bids |= orders


class EveryBidHasThePriceOfTheFile(Invariant):
    """What is bid is the price of the file in force, at the rate in force, calculated here from its text; a
    usage-billed order is bid on at 1uve.
    """

    def check(self, turn: Turn) -> Iterator[str]:
        if turn.cycle is None:
            return
        plan = turn.cycle.planned.plan
        messages = [m for a in plan.actions if isinstance(a, SendTransaction) for m in a.messages]
        bids = [each for each in messages if isinstance(each, CreateBid)]
        commit = turn.world.remote.commits.get(plan.revision) if bids else None
        for bid in bids:
            order = next(each for each in turn.world.orders() if order_id_of(each.id) == bid.id.order)
            text = commit.files.get("pricing.yaml", b"").decode() if commit is not None else ""
            rate = plan.memory.rates["usd"].uve if " usd" in text else Decimal(1)
            due = _price_by_hand(order, text, rate)
            if due is not None and due != bid.price:
                yield f"{bid.id.order} is bid on at {bid.price}uve, and costs {due}uve"


def _price_by_hand(order: market_v1beta5_pb2.Order, text: str, rate: Decimal) -> Decimal | None:
    """The price of an order of cpu, memory and ephemeral storage; None for a file that cannot be read."""
    attributes = {(each.key, each.value) for each in order.spec.requirements.attributes}
    if ("billing", "usage") in attributes:
        return Decimal(1)
    try:
        file = yaml.safe_load(text)["pricing"]
    except (yaml.YAMLError, TypeError, KeyError):
        return None
    unit = {
        key: Fraction(str(value).removesuffix("uve").removesuffix("usd").strip()) * Fraction(rate)
        for key, value in file.items()
        if isinstance(value, str) and key != "rounding"
    }
    cost = Fraction(0)
    for each in order.spec.resources:
        res, mb = each.resource, 1 << 20
        stored = sum(int(volume.quantity.val) for volume in res.storage)
        one = int(res.cpu.units.val) * unit["cpu_millicores"]
        one += Fraction(int(res.memory.quantity.val), mb) * unit["memory_mb"]
        one += Fraction(stored, mb) * unit["storage_mb"]
        cost += one * each.count + len(res.endpoints) * unit.get("endpoint", Fraction(0))
    cost *= 1 + Fraction(str(file["profit_margin"]))
    for each in file.get("multipliers", ()):
        if each.get("tenant") == order.id.owner:
            cost *= Fraction(each["percent"], 100)
    step = int(str(file.get("rounding", "1uve")).removesuffix("uve"))
    return Decimal(ceil(max(cost, unit.get("minimum", Fraction(0))) / step) * step)


class NoPeriodIsBilledTwice(Invariant):
    """The usage records of a lease do not overlap."""

    def __init__(self) -> None:
        self._count = 0

    def check(self, turn: Turn) -> Iterator[str]:
        rows = turn.world.chain.rows(USAGE)
        if len(rows) == self._count:
            return
        self._count = len(rows)
        for lease in {each.lease_id for each in rows}:
            periods = sorted((r.period_start, r.period_end) for r in rows if r.lease_id == lease)
            for (_, end), (start, until) in pairwise(periods):
                if start < end:
                    yield f"{lease}: a period ends at {end}, another is {start} to {until}"


class DepositsAreAccountedFor(Invariant):
    """What the daemon shows as locked is what the chain's escrow holds for its bids."""

    def check(self, turn: Turn) -> Iterator[str]:
        if (shown := seen_now(turn)) is None:
            return
        locked = turn.world.books.locked_at(shown.height)
        if locked is not None and shown.money.deposits_uve != locked:
            yield f"shows {shown.money.deposits_uve}uve at height {shown.height}, the chain holds {locked}uve"


class BalanceStaysAboveItsReserve(Invariant):
    """None of our bids leaves the account with less than its reserve."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def check(self, turn: Turn) -> Iterator[str]:
        new = turn.world.sent.keys() - self._seen
        self._seen |= new
        bids = [name for name in new if any(is_bid(m) for m in decode_tx(turn.world.sent[name]).messages)]
        balance = bank.balance(turn.world.chain.view(), OURS, "uve")
        if bids and balance < turn.limits.balance_reserve and not turn.world.stranger_spent:
            yield f"{balance}uve are left of a reserve of {turn.limits.balance_reserve}uve"
        turn.world.stranger_spent = False


class EveryIntentEnds(Invariant):
    """No intent stays open once its time is over and the node answers."""

    def __init__(self) -> None:
        self._since: dict[str, int] = {}

    def check(self, turn: Turn) -> Iterator[str]:
        if not disorder.is_well(turn.world) or seen_now(turn) is None:
            self._since.clear()
            return
        open_now = {each.hash for each in turn.intents}
        self._since = {name: since for name, since in self._since.items() if name in open_now}
        for each in turn.intents:
            since = self._since.setdefault(each.hash, turn.world.blocks_made)
            if turn.world.blocks_made - since > INTENT_BLOCKS:
                yield f"{each.hash[:12]} is open after {turn.world.blocks_made - since} blocks"


class TheLedgerEqualsTheBooks(Invariant):
    """What the daemon shows as earned since its journal began equals the chain's books, to the uve."""

    def __init__(self) -> None:
        self._base: int | None = None

    def check(self, turn: Turn) -> Iterator[str]:
        books = turn.world.books
        if turn.world.restored or turn.world.lost:
            self._base, turn.world.restored, turn.world.lost = None, False, False
        if (shown := seen_now(turn)) is None or (booked := books.earned(shown.height)) is None:
            return
        difference = shown.money.earned_uve - booked
        if self._base is None:
            self._base = difference
        elif difference != self._base:
            yield f"{shown.money.earned_uve}uve at height {shown.height}, {difference - self._base:+}uve off"


INCOME = frozenset({EntryKind.LEASE, EntryKind.USAGE})


class EachLeaseEarnsWhatTheChainPaid(Invariant):
    """The journal's ledger books for each lease what the chain paid for it, to the uve; income of which the
    blocks do not say the lease is booked without one.
    """

    def check(self, turn: Turn) -> Iterator[str]:
        if (shown := seen_now(turn)) is None or turn.cycle is None or not turn.cycle.planned.plan.entries:
            return
        entries = [each.entry for each in turn.ledger()]
        since, until = turn.world.books.paid(entries[0].height), turn.world.books.paid(shown.height)
        income = [each for each in entries if each.kind in INCOME]
        missing = -sum(each.amount for each in income if each.lease is None)
        for lease in until.keys() | {each.lease for each in income if each.lease is not None}:
            booked = sum(each.amount for each in income if each.lease == lease)
            paid = until.get(lease, 0) - since.get(lease, 0)
            missing += paid - booked
            if booked > paid:
                yield f"{lease} has earned {paid}uve, and {booked}uve are booked"
        unexplained = sum(each.amount for each in entries if each.kind is EntryKind.UNEXPLAINED)
        if missing and not unexplained:
            yield f"{missing}uve of what the chain paid for leases are not booked"


class DepositsComeBack(Invariant):
    """Once the world is well, no deposit stays in a bid that cannot win."""

    def __init__(self) -> None:
        self._deadline = Deadline()

    def check(self, turn: Turn) -> Iterator[str]:
        held = {h.subject.name for h in turn.cycle.planned.plan.holds} if turn.cycle else set[str]()
        lost = {name for name in self._stale(turn.world) if name not in held}
        for name in self._deadline.overdue(turn, lost):
            yield f"the deposit of the bid {name} is still locked"

    def _stale(self, world: World) -> Iterator[str]:
        orders = {order_id_of(o.id): o for o in world.orders()}
        for bid in world.bids():
            if bid.id.provider != OURS or bid.state != market_v1beta5_pb2.Bid.open:
                continue
            order = orders.get(lease_id_of(bid.id).order)
            if order is None or order.state != market_v1beta5_pb2.Order.open:
                yield str(lease_id_of(bid.id))


def is_bid(message: Message) -> TypeGuard[market_v1beta5_pb2.MsgCreateBid]:
    """Whether a message is a bid."""
    return isinstance(message, market_v1beta5_pb2.MsgCreateBid)
