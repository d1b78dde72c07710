"""A snapshot with one of everything."""

from __future__ import annotations

from decimal import Decimal

from reconciler.values.ids import LeaseId, OrderId, workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.observed import State, Trouble
from reconciler.values.plans import Hold, Reason
from reconciler.values.snapshot import (
    BidSnapshot,
    BookTotals,
    Counters,
    CycleOutcome,
    CycleRecord,
    IntentSnapshot,
    LeaseSnapshot,
    ReadingAge,
    Snapshot,
    WorkloadSnapshot,
)

NOON = 1_800_000_000


def lease(number: int) -> LeaseId:
    """Our bid on the first order of a tenant's deployment."""
    return LeaseId(OrderId("ve1tenant", number, 1, 1), "ve1provider")


RUNNING, FAILED = lease(1000001), lease(1000002)
WELL = WorkloadSnapshot(
    id=workload_id(RUNNING),
    lease=RUNNING,
    adapter="kubernetes",
    phase=Phase.RUNNING,
    lease_state=State.ACTIVE,
    price=Decimal("2446.50"),
    path=f"workloads/{workload_id(RUNNING)}.yaml",
    ready=True,
    replicas_ready=2,
    replicas=2,
)
ILL = WorkloadSnapshot(
    id=workload_id(FAILED),
    lease=FAILED,
    adapter="kubernetes",
    phase=Phase.FAILED,
    lease_state=State.ACTIVE,
    price=Decimal(1),
    billing="usage",
    trouble=Trouble("ImagePullFailed", "no such image", "mend the image's name"),
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
    books=BookTotals(9_000_000, 500_000, 120_000, 7_338, 59_000, 330_000),
    counters=Counters(5, 2, {CycleOutcome.QUIET: 40, CycleOutcome.ACTED: 7}),
    cycle=CycleRecord(NOON - 2, NOON - 1, 0.25, CycleOutcome.ACTED, "", "d16e57", 3),
    readings=(ReadingAge("chain", NOON - 2), ReadingAge("repository", NOON - 90, "the remote hung up")),
    leases=(
        LeaseSnapshot(RUNNING, State.ACTIVE, Decimal("2446.50"), 7_338, 120_000, NOON - 40),
        LeaseSnapshot(FAILED, State.ACTIVE, Decimal(1)),
    ),
    bids=(BidSnapshot(lease(1000003), State.OPEN, Decimal(2733), 500_000, 88),),
    workloads=(WELL, ILL),
    intents=(IntentSnapshot("AB" * 32, ("bid 2733uve a block",), 12_300, 111),),
    holds=(
        Hold("repository", Reason.REPOSITORY_UNSEEN, "the remote hung up", ours=True),
        Hold("", Reason.CEILING, "spend_per_hour is reached"),
        Hold("ve1tenant/1000004/1/1", Reason.PRICE_TOO_LOW, "asks 100uve a block, costs 2446uve"),
        Hold(WELL.id, Reason.NOT_WORTH, "the fee is 5000uve"),
    ),
)
