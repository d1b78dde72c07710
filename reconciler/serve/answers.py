"""The snapshot in the API's shapes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from reconciler.serve.shapes import (
    BidEngineAnswer,
    BidShape,
    ChainShape,
    CountsShape,
    CycleShape,
    HoldShape,
    IntentShape,
    LeaseShape,
    MoneyShape,
    ReadingShape,
    RevisionsShape,
    StatusAnswer,
    TroubleShape,
    WorkloadAnswer,
    WorkloadsAnswer,
    WorkloadShape,
)
from reconciler.values.ids import OrderId
from reconciler.values.lifecycle import Phase
from reconciler.values.money import plain
from reconciler.values.plans import Hold
from reconciler.values.snapshot import CycleRecord, Snapshot, WorkloadSnapshot

LISTED_MAX = 1_000
"""Holds that one answer lists; strangers decide how many there are."""


def status(snapshot: Snapshot) -> StatusAnswer:
    """The provider as a whole."""
    books = snapshot.books
    return StatusAnswer(
        provider=snapshot.provider,
        address=snapshot.address,
        chain=ChainShape(id=snapshot.chain_id, height=snapshot.height, time=moment(snapshot.chain_time)),
        revisions=RevisionsShape(
            desired=snapshot.desired, applied=snapshot.applied, published=snapshot.published
        ),
        observe_only=snapshot.observe_only,
        spending_stopped=snapshot.spending_stopped,
        counts=_counts(snapshot),
        money=MoneyShape(
            balance_uve=books.balance,
            deposits_uve=books.deposits,
            earned_uve=books.earned,
            accrued_uve=books.accrued,
            fees_uve=books.fees,
            received_uve=books.received,
        ),
        cycle=_cycle(snapshot.cycle) if snapshot.cycle else None,
        readings=[
            ReadingShape(source=r.source, seen_at=moment(r.seen_at), why=r.why) for r in snapshot.readings
        ],
        intents=[
            IntentShape(
                hash=i.hash, messages=list(i.messages), fee_uve=i.fee, timeout_height=i.timeout_height
            )
            for i in snapshot.intents
        ],
        holds=_holds(h for h in snapshot.holds if h.ours or not h.subject),
    )


def bid_engine(snapshot: Snapshot) -> BidEngineAnswer:
    """What is bid on, and why the rest is not."""
    held = [h for h in snapshot.holds if _is_about_orders(h)]
    return BidEngineAnswer(
        observe_only=snapshot.observe_only,
        spending_stopped=snapshot.spending_stopped,
        orders_open=snapshot.orders_open,
        bids_open=len(snapshot.bids),
        bids_total=snapshot.counters.bids_placed,
        bids_won_total=snapshot.counters.bids_won,
        bids=[
            BidShape(
                id=str(b.id),
                order=str(b.id.order),
                state=b.state.value,
                price_uve=plain(b.price),
                deposit_uve=b.deposit,
                created_at_height=b.created_at,
            )
            for b in snapshot.bids
        ],
        holds=_holds(held),
        holds_total=len(held),
    )


def workloads(snapshot: Snapshot, phase: Phase | None) -> WorkloadsAnswer:
    """All of ours, or those in one phase."""
    return WorkloadsAnswer(
        workloads=[_workload(w) for w in snapshot.workloads if phase is None or w.phase is phase]
    )


def workload(snapshot: Snapshot, found: WorkloadSnapshot) -> WorkloadAnswer:
    """One of ours, with its lease and what is withheld from it."""
    lease = next((x for x in snapshot.leases if x.id == found.lease), None)
    return WorkloadAnswer(
        workload=_workload(found),
        lease=None
        if lease is None
        else LeaseShape(
            id=str(lease.id),
            state=lease.state.value,
            price_uve=plain(lease.price),
            accrued_uve=lease.accrued,
            withdrawn_uve=lease.withdrawn,
            withdrawn_at=moment(lease.withdrawn_at),
        ),
        holds=_holds(snapshot.holds_of(found.id, str(found.lease), found.path)),
    )


def moment(seconds: int) -> str | None:
    """Unix seconds as `2026-01-31T08:00:00Z`; None for 0."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else None


def _counts(snapshot: Snapshot) -> CountsShape:
    phases = Counter(w.phase for w in snapshot.workloads)
    return CountsShape(
        orders_open=snapshot.orders_open,
        bids_open=len(snapshot.bids),
        leases=len(snapshot.leases),
        workloads={phase.value.lower(): phases[phase] for phase in Phase},
        holds=dict(sorted(Counter(h.reason.value for h in snapshot.holds).items())),
    )


def _cycle(record: CycleRecord) -> CycleShape:
    return CycleShape(
        started_at=moment(record.started_at) or "",
        finished_at=moment(record.finished_at) or "",
        duration_seconds=record.duration_seconds,
        outcome=record.outcome.value,
        why=record.why,
        actions=record.actions,
        plan_digest=record.plan_digest,
    )


def _holds(holds: Iterable[Hold]) -> list[HoldShape]:
    shapes = [HoldShape(subject=h.subject, reason=h.reason.value, message=h.message) for h in holds]
    return shapes[:LISTED_MAX]


def _is_about_orders(hold: Hold) -> bool:
    try:
        OrderId.parse("/".join(hold.subject.split("/")[:4]))
    except ValueError:
        return False
    return True


def _workload(found: WorkloadSnapshot) -> WorkloadShape:
    trouble = found.trouble
    return WorkloadShape(
        id=found.id,
        lease=str(found.lease),
        state=found.phase.value.lower(),
        adapter=found.adapter,
        billing=found.billing,
        price_uve=plain(found.price),
        lease_state=found.lease_state.value,
        ready=found.ready,
        replicas_ready=found.replicas_ready,
        replicas=found.replicas,
        file=found.path,
        trouble=None
        if trouble is None
        else TroubleShape(reason=trouble.reason, message=trouble.message, advice=trouble.advice),
    )
