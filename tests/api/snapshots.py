"""A snapshot with an object of each kind."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from reconciler.values.funding import Funding, TimeLeft
from reconciler.values.ids import LeaseId, OrderId, workload_id
from reconciler.values.observed import State, Trouble
from reconciler.values.plans import Hold, Reason
from reconciler.values.snapshot import Counters, Snapshot
from reconciler.values.subjects import Subject
from reconciler.values.times import Timestamp
from reconciler.values.views import (
    BidView,
    CycleOutcome,
    CycleView,
    HoldView,
    IntentView,
    LeaseView,
    ReadingView,
    WalletView,
    WorkloadView,
)

NOON = Timestamp(1_800_000_000)


def after(seconds: int) -> Timestamp:
    """A time relative to noon."""
    return Timestamp(NOON + seconds)


def lease(number: int) -> LeaseId:
    """Our bid on the first order of a tenant's deployment."""
    return LeaseId(OrderId("ve1tenant", number, 1, 1), "ve1provider")


def cycle_at(seconds: int, outcome: CycleOutcome = CycleOutcome.QUIET) -> CycleView:
    """A cycle that ended `seconds` after noon."""
    return CycleView(
        started_at=after(seconds), finished_at=after(seconds), duration_seconds=0.1, outcome=outcome
    )


def hold_view(
    subject: str, reason: Reason, message: str, *, ours: bool = False, approval: str = ""
) -> HoldView:
    """A hold on the named subject."""
    return HoldView.of(Hold(Subject.parse(subject), reason, message, ours, approval))


def workload_of(lease_id: LeaseId) -> WorkloadView:
    """A running workload of a lease."""
    return replace(HEALTHY, id=workload_id(lease_id), lease=str(lease_id))


RUNNING, FAILED = lease(1000001), lease(1000002)
EXPENSIVE = hold_view(workload_id(RUNNING), Reason.NOT_WORTH_ITS_FEE, "the fee is 5000uve")
HEALTHY = WorkloadView(
    id=workload_id(RUNNING),
    lease=str(RUNNING),
    adapter="kubernetes",
    state="running",
    lease_state=State.ACTIVE,
    price_uve=Decimal("2446.5"),
    file=f"workloads/{workload_id(RUNNING)}.yaml",
    ready=True,
    replicas_ready=2,
    replicas=2,
    holds=(EXPENSIVE,),
)
FAILING = WorkloadView(
    id=workload_id(FAILED),
    lease=str(FAILED),
    adapter="kubernetes",
    state="failed",
    lease_state=State.ACTIVE,
    price_uve=Decimal(1),
    billing="usage",
    trouble=Trouble("ImagePullFailed", "no such image", "correct the image's name"),
)

FULL = Snapshot(
    provider="one",
    address="ve1provider",
    chain_id="virtengine-1",
    height=91,
    chain_time=NOON - 1,
    desired="d" * 40,
    applied="a" * 40,
    published="b" * 40,
    orders_open=4,
    wallet=WalletView(
        balance_uve=9_000_000,
        deposits_uve=500_000,
        earned_uve=120_000,
        fees_uve=59_000,
        received_uve=330_000,
        day_fees_uve=12_000,
        is_balance_falling=True,
        balance_seconds_left=345_600,
    ),
    counters=Counters(5, 2, {CycleOutcome.QUIET: 40, CycleOutcome.ACTED: 7}),
    cycle=CycleView(
        started_at=after(-2),
        finished_at=after(-1),
        duration_seconds=0.25,
        outcome=CycleOutcome.ACTED,
        plan_digest="d16e57",
        actions=3,
    ),
    readings=(
        ReadingView("chain", after(-2)),
        ReadingView("repository", after(-90), "the remote hung up"),
    ),
    leases=(
        LeaseView(
            id=str(RUNNING),
            order=str(RUNNING.order),
            workload=workload_id(RUNNING),
            state=State.ACTIVE,
            price_uve=Decimal("2446.5"),
            withdrawn_uve=120_000,
            withdrawn_at=after(-40),
            funding=TimeLeft(Funding.HEALTHY, accrued_uve=7_338),
        ),
        LeaseView(
            id=str(FAILED),
            order=str(FAILED.order),
            workload=workload_id(FAILED),
            state=State.ACTIVE,
            price_uve=Decimal(1),
        ),
    ),
    bids=(
        BidView(
            id=str(lease(1000003)),
            order=str(lease(1000003).order),
            state=State.OPEN,
            price_uve=Decimal(2733),
            deposit_uve=500_000,
            created_at_height=88,
        ),
    ),
    workloads=(HEALTHY, FAILING),
    intents=(
        IntentView(hash="AB" * 32, messages=("bid 2733uve a block",), fee_uve=12_300, timeout_height=111),
    ),
    holds=(
        hold_view("repository", Reason.REPOSITORY_UNSEEN, "the remote hung up", ours=True),
        hold_view("", Reason.CEILING, "spend_per_hour is reached"),
        hold_view("ve1tenant/1000004/1/1", Reason.PRICE_TOO_LOW, "asks 100uve a block, costs 2446uve"),
        EXPENSIVE,
    ),
)
