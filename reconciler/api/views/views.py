"""The snapshot in the API's shapes: the provider as a whole, and the parts that answers share. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reconciler.api.views.schemas import (
    BidShape,
    ChainShape,
    CountsShape,
    CycleShape,
    HoldShape,
    IntentShape,
    MoneyShape,
    ReadingShape,
    RevisionsShape,
    StatusAnswer,
    TroubleShape,
)
from reconciler.values.lifecycle import Phase
from reconciler.values.money import plain
from reconciler.values.observed import Trouble
from reconciler.values.plans import Hold
from reconciler.values.snapshot import BidSnapshot, CycleRecord, ReadingAge, Snapshot
from reconciler.values.times import UNKNOWN, utc_text

LISTED_MAX = 1_000
"""Holds that one answer lists; strangers decide how many there are."""


def status(snapshot: Snapshot, troubles: Iterable[Trouble] = ()) -> StatusAnswer:
    """The provider as a whole, and what is not well with the daemon itself."""
    return StatusAnswer(
        provider=snapshot.provider,
        address=snapshot.address,
        chain=chain(snapshot),
        revisions=revisions(snapshot),
        observe_only=snapshot.observe_only,
        spending_stopped=snapshot.spending_stopped,
        draining=snapshot.draining,
        troubles=[trouble(each) for each in troubles],
        counts=counts(snapshot),
        money=money(snapshot),
        cycle=cycle(snapshot.cycle) if snapshot.cycle else None,
        readings=[reading(r) for r in snapshot.readings],
        intents=intents(snapshot),
        holds=holds(h for h in snapshot.holds if h.ours or not h.subject),
    )


def trouble(found: Trouble) -> TroubleShape:
    """Why something is not well."""
    return TroubleShape(reason=found.reason, message=found.message, advice=found.advice)


def chain(snapshot: Snapshot) -> ChainShape:
    """The chain as last seen."""
    return ChainShape(id=snapshot.chain_id, height=snapshot.height, time=moment(snapshot.chain_time))


def revisions(snapshot: Snapshot) -> RevisionsShape:
    """The commits that count."""
    return RevisionsShape(desired=snapshot.desired, applied=snapshot.applied, published=snapshot.published)


def money(snapshot: Snapshot) -> MoneyShape:
    """The books."""
    books = snapshot.books
    return MoneyShape(
        balance_uve=books.balance,
        deposits_uve=books.deposits,
        earned_uve=books.earned,
        accrued_uve=books.accrued,
        fees_uve=books.fees,
        received_uve=books.received,
    )


def counts(snapshot: Snapshot) -> CountsShape:
    """How many of each."""
    phases = Counter(w.phase for w in snapshot.workloads)
    return CountsShape(
        orders_open=snapshot.orders_open,
        bids_open=len(snapshot.bids),
        leases=len(snapshot.leases),
        workloads={phase.value.lower(): phases[phase] for phase in Phase},
        holds=dict(sorted(Counter(h.reason.value for h in snapshot.holds).items())),
    )


def cycle(record: CycleRecord) -> CycleShape:
    """The last cycle."""
    return CycleShape(
        started_at=moment(record.started_at) or "",
        finished_at=moment(record.finished_at) or "",
        duration_seconds=record.duration_seconds,
        outcome=record.outcome.value,
        why=record.why,
        failures=record.failures,
        actions=record.actions,
        plan_digest=record.plan_digest,
    )


def reading(age: ReadingAge) -> ReadingShape:
    """A source and when it was last seen."""
    return ReadingShape(source=age.source, seen_at=moment(age.seen_at), why=age.why)


def intents(snapshot: Snapshot) -> list[IntentShape]:
    """Transactions on their way."""
    return [
        IntentShape(hash=i.hash, messages=list(i.messages), fee_uve=i.fee, timeout_height=i.timeout_height)
        for i in snapshot.intents
    ]


def holds(found: Iterable[Hold]) -> list[HoldShape]:
    """What is withheld, at most 1,000."""
    listed = [h for _, h in zip(range(LISTED_MAX), found, strict=False)]
    return [HoldShape(subject=h.subject, reason=h.reason.value, message=h.message) for h in listed]


def bid(found: BidSnapshot) -> BidShape:
    """An open bid of ours."""
    return BidShape(
        id=str(found.id),
        order=str(found.id.order),
        state=found.state.value,
        price_uve=plain(found.price),
        deposit_uve=found.deposit,
        created_at_height=found.created_at,
    )


def moment(seconds: int) -> str | None:
    """Unix seconds as `2026-01-31T08:00:00Z`; None for 0 and for what no calendar has, which are unknown."""
    shown = utc_text(seconds)
    return None if shown == UNKNOWN else shown
