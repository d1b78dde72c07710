"""The snapshot in the API's shapes: leases, the bid engine, and decisions on orders. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.api.views.schemas import BidShape
from reconciler.api.views.schemas_market import (
    BidEngineAnswer,
    DecisionShape,
    FundingShape,
    LeaseShape,
    OrderDecisionAnswer,
)
from reconciler.api.views.views import bid, holds, moment, reading
from reconciler.runtime.readiness import age_of_chain, chain_reading
from reconciler.values.funding import TimeLeft
from reconciler.values.ids import OrderId, workload_id
from reconciler.values.money import plain
from reconciler.values.plans import Hold
from reconciler.values.records import Decision
from reconciler.values.snapshot import LeaseSnapshot, Snapshot


def lease(found: LeaseSnapshot) -> LeaseShape:
    """An active lease of ours."""
    return LeaseShape(
        id=str(found.id),
        workload=workload_id(found.id),
        state=found.state.value,
        price_uve=plain(found.price),
        accrued_uve=found.accrued,
        withdrawn_uve=found.withdrawn,
        withdrawn_at=moment(found.withdrawn_at),
        funding=funding(found.funding),
    )


def funding(left: TimeLeft) -> FundingShape:
    """How long it is still paid for."""
    return FundingShape(state=left.state.value, blocks_left=left.blocks, seconds_left=left.seconds)


def bid_engine(snapshot: Snapshot, now: int) -> BidEngineAnswer:
    """What is bid on, and why the rest is not."""
    held = [h for h in snapshot.holds if is_about_order(h)]
    return BidEngineAnswer(
        observe_only=snapshot.observe_only,
        spending_stopped=snapshot.spending_stopped,
        draining=snapshot.draining,
        chain=reading(chain_reading(snapshot)),
        chain_age_seconds=age_of_chain(snapshot, now),
        orders_open=snapshot.orders_open,
        bids_open=len(snapshot.bids),
        bids_total=snapshot.counters.bids_placed,
        bids_won_total=snapshot.counters.bids_won,
        bids=[bid(b) for b in snapshot.bids],
        holds=holds(held),
        holds_total=len(held),
    )


def is_about_order(hold: Hold) -> bool:
    """Whether a hold's subject is an order, or a bid on one."""
    if hold.subject.count("/") not in (3, 4):
        return False
    try:
        OrderId.parse("/".join(hold.subject.split("/")[:4]))
    except ValueError:
        return False
    return True


def decision(found: Decision) -> DecisionShape:
    """The last word on a subject."""
    return DecisionShape(
        subject=found.subject,
        held=found.held,
        word=found.word,
        message=found.message,
        since=moment(found.first_seen),
        last_seen=moment(found.last_seen),
        ended=moment(found.ended_at),
    )


def order_decision(
    snapshot: Snapshot, order: OrderId, record: Sequence[Decision]
) -> OrderDecisionAnswer | None:
    """Why we did or did not bid on an order; None where nothing is known of it."""
    held = [h for h in snapshot.holds if h.subject == str(order) or h.subject.startswith(f"{order}/")]
    ours = next((b for b in snapshot.bids if b.id.order == order), None)
    leased = next((x for x in snapshot.leases if x.id.order == order), None)
    if not (held or ours or leased or record):
        return None
    shown = bid(ours) if ours else None
    verdict, sentence = _verdict(leased, shown, held, record)
    return OrderDecisionAnswer(
        order=str(order),
        verdict=verdict,
        sentence=sentence,
        bid=shown,
        lease=lease(leased) if leased else None,
        holds=holds(held),
        record=[decision(d) for d in record],
    )


def _verdict(
    leased: LeaseSnapshot | None, ours: BidShape | None, held: Sequence[Hold], record: Sequence[Decision]
) -> tuple[str, str]:
    if leased is not None:
        return "leased", f"we have the lease, at {plain(leased.price)}uve a block"
    if ours is not None:
        return "bid", f"our bid of {ours.price_uve}uve a block is open since height {ours.created_at_height}"
    if held:
        return "held", f"{held[0].reason.value}: {held[0].message}"
    return "past", f"the order is not open any more; last: {record[0].word}: {record[0].message}"
