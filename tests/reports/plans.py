"""A plan with an object of each kind."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from reconciler.values.desired import CloseReason, Service, Workload
from reconciler.values.ids import LeaseId, OrderId, workload_id
from reconciler.values.intents import FeeTerms
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import Memory, WorkloadMemory
from reconciler.values.messages import CloseBid, CreateBid, RecordUsage, SettleUsage, WithdrawLease
from reconciler.values.plans import (
    ApplyWorkload,
    Hold,
    Plan,
    PrepareAdapter,
    Reason,
    Rebroadcast,
    RemoveWorkload,
    SendTransaction,
    Transition,
)
from reconciler.values.resources import MB, Resources
from reconciler.values.subjects import Subject


def lease(number: int) -> LeaseId:
    """Our bid on the first order of a tenant's deployment."""
    return LeaseId(OrderId("ve1tenant", number, 1, 1), "ve1provider")


SMALL = Resources(1000, 1024 * MB, 1024 * MB)
FIRST, SECOND, THIRD = lease(1000001), lease(1000002), lease(1000003)
WORKLOAD = Workload(workload_id(FIRST), FIRST, (Service("web", "nginx:1.27", SMALL),), adapter="kubernetes")
EMPTY = Plan("", (), (), (), Memory())

FULL = Plan(
    revision="3f2a" * 10,
    actions=(
        PrepareAdapter("kubernetes", SMALL.times(8)),
        SendTransaction(
            (
                CreateBid(lease(1000007), Decimal("2446.50"), 500_000, ()),
                CloseBid(lease(1000004), CloseReason.UNSPECIFIED),
                CloseBid(THIRD, CloseReason.DECOMMISSION, lease=True),
                RecordUsage(SECOND, 77, 1_800_000_000, 1_800_086_400),
                SettleUsage(SECOND.order, ("usage-1", "usage-2"), 77),
                SettleUsage(lease(1000009).order, ("usage-3",), 5),
            ),
            FeeTerms(31_000, (20_000, 500_000, 1_500_000, 40, 70, 5), Decimal("1.05")),
        ),
        SendTransaction((WithdrawLease(FIRST, 120_000),), FeeTerms(5_000, (120_000,), Decimal("1.05"))),
        Rebroadcast("AB" * 32),
        ApplyWorkload(WORKLOAD, "d1gest", "its lease is active and nothing runs"),
        RemoveWorkload("kubernetes", workload_id(THIRD), "its lease is closed since height 90"),
    ),
    holds=(
        Hold(Subject.parse(""), Reason.CEILING, "spend_per_hour is reached"),
        Hold(
            Subject.parse("repository"),
            Reason.REWRITTEN_HISTORY,
            "3f2a does not descend from 77aa",
            ours=True,
        ),
        Hold(
            Subject.parse("pricing.yaml"), Reason.FILE_FAULTY, "pricing.yaml:4:3: no denomination", ours=True
        ),
        Hold(
            Subject.parse("ve1tenant/1000005/1/1"), Reason.PRICE_TOO_LOW, "asks 100uve a block, costs 2446uve"
        ),
        Hold(
            Subject.of_lease(lease(1000006)), Reason.TRY_LATER, "failed 2 times\x1b[2J\u202e, last: no answer"
        ),
        Hold(Subject.parse(workload_id(FIRST)), Reason.NOT_WORTH_ITS_FEE, "1uve accrued, the fee is 5000uve"),
        Hold(Subject.parse("kubernetes"), Reason.CLUSTER_UNSEEN, "the API server does not answer", ours=True),
        Hold(Subject.parse("CD" * 32), Reason.AWAITING_CONFIRMATION, "in no block up to height 91"),
    ),
    transitions=(
        Transition(workload_id(FIRST), FIRST, Phase.PENDING, Phase.DEPLOYING, "Lease accepted"),
        Transition(
            workload_id(THIRD), THIRD, Phase.RUNNING, Phase.STOPPING, "Close request", "by the tenant"
        ),
    ),
    memory=Memory(
        workloads={
            workload_id(each): WorkloadMemory(each, "kubernetes", Phase.RUNNING)
            for each in (FIRST, SECOND, THIRD)
        }
    ),
)

OTHER_MEMORY = replace(FULL, memory=Memory())
