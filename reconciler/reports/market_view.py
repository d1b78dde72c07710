"""The market: the bid engine, and why an order was or was not bid on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.reports.readiness import chain_age_seconds, chain_reading
from reconciler.values.ids import OrderId
from reconciler.values.money import plain
from reconciler.values.records import Decision
from reconciler.values.snapshot import Snapshot
from reconciler.values.times import Timestamp
from reconciler.values.views import BidView, HoldView, LeaseView, ReadingView

HOLDS_MAX = 1_000
"""Maximum holds on orders in one response; tenants control how many exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BidEngineView:
    """`GET /api/v1/bid-engine/status`: our bids, and at most 1,000 holds on orders, bids and leases.
    Without the chain there are no bids: `chain_age_seconds` is how long ago it was last seen (null: never).
    `bids_total` landed since the journal began, `bids_won_total` of them won their lease.
    """

    observe_only: bool
    spending_stopped: bool
    draining: bool
    chain: ReadingView
    chain_age_seconds: int | None
    orders_open: int
    bids_open: int
    bids_total: int
    bids_won_total: int
    bids: tuple[BidView, ...]
    holds: tuple[HoldView, ...]
    holds_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """The last decision about a subject, as the journal keeps it: an effect was withheld (`held`) for
    `reason`, or attempted, and `reason` is its kind; `ended` is when a hold ended.
    """

    subject: str
    held: bool
    reason: str
    message: str
    since: Timestamp
    last_seen: Timestamp
    ended: Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDecisionView:
    """`GET /api/v1/orders/{owner}/{dseq}/{gseq}/{oseq}/decision`: why an order was or was not bid on.
    `verdict` is leased (to us), bid (ours is open), held (an effect is withheld now) or past; `record` is
    what the journal has on the order and our bid, newest first.
    """

    order: str
    verdict: str
    message: str
    bid: BidView | None
    lease: LeaseView | None
    holds: tuple[HoldView, ...]
    record: tuple[DecisionView, ...]


def bid_engine_view(snapshot: Snapshot, now: int) -> BidEngineView:
    """The bid engine at `now` (unix seconds)."""
    holds = tuple(hold for hold in snapshot.holds if hold.order)
    return BidEngineView(
        observe_only=snapshot.observe_only,
        spending_stopped=snapshot.spending_stopped,
        draining=snapshot.draining,
        chain=chain_reading(snapshot),
        chain_age_seconds=chain_age_seconds(snapshot, now),
        orders_open=snapshot.orders_open,
        bids_open=len(snapshot.bids),
        bids_total=snapshot.counters.bids_placed,
        bids_won_total=snapshot.counters.bids_won,
        bids=snapshot.bids,
        holds=holds[:HOLDS_MAX],
        holds_total=len(holds),
    )


def decision_view(decision: Decision) -> DecisionView:
    """A decision of the journal."""
    return DecisionView(
        subject=str(decision.subject),
        held=decision.held,
        reason=decision.reason,
        message=decision.message,
        since=Timestamp(decision.first_seen),
        last_seen=Timestamp(decision.last_seen),
        ended=Timestamp(decision.ended_at),
    )


def order_decision(
    snapshot: Snapshot, order: OrderId, record: Sequence[Decision]
) -> OrderDecisionView | None:
    """Why we did or did not bid; None if the order is unknown."""
    name = str(order)
    holds = tuple(h for h in snapshot.holds if h.order == name)
    bid = next((b for b in snapshot.bids if b.order == name), None)
    lease = next((x for x in snapshot.leases if x.order == name), None)
    if lease is not None:
        verdict, message = "leased", f"the lease is ours, at {plain(lease.price_uve)}uve a block"
    elif bid is not None:
        price, height = plain(bid.price_uve), bid.created_at_height
        verdict, message = "bid", f"our bid of {price}uve a block is open since height {height}"
    elif holds:
        verdict, message = "held", f"{holds[0].reason.value}: {holds[0].message}"
    elif record:
        last = record[0]
        verdict, message = "past", f"the order is no longer open; last: {last.reason}: {last.message}"
    else:
        return None
    return OrderDecisionView(
        order=name,
        verdict=verdict,
        message=message,
        bid=bid,
        lease=lease,
        holds=holds,
        record=tuple(map(decision_view, record)),
    )
