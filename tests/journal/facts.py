"""Small worlds for the journal's tests."""

from __future__ import annotations

from decimal import Decimal

from reconciler.values.ids import LeaseId, OrderId, workload_id
from reconciler.values.intents import Intent
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import Memory, WorkloadMemory
from reconciler.values.messages import CreateBid, Message, WithdrawLease
from reconciler.values.plans import Hold, Plan, Reason, Transition
from reconciler.values.subjects import Subject

NOON = 1_800_000_000
LEASE = LeaseId(OrderId("owner", 1000001, 1, 1), "provider")
BID = CreateBid(LEASE, Decimal("2446"), 500_000, ())
WITHDRAWAL = WithdrawLease(LEASE, 7)


def intent(tx_hash: str = "AB12", *messages: Message) -> Intent:
    """A signed transaction."""
    return Intent(tx_hash, b"\x00bytes\xff", messages or (BID,), 12_300, 4, 120, 100)


def plan(
    memory: Memory | None = None,
    holds: tuple[Hold, ...] = (),
    transitions: tuple[Transition, ...] = (),
) -> Plan:
    """A plan without actions."""
    return Plan("c0ffee", (), holds, transitions, memory or Memory())


def served(*leases: LeaseId, phase: Phase = Phase.PENDING) -> Memory:
    """A memory of these leases."""
    return Memory(workloads={workload_id(x): WorkloadMemory(x, "kubernetes", phase) for x in leases})


def hold(
    subject: str = "owner/9/1/1", message: str = "asks 100uve, costs 2446uve", ours: bool = False
) -> Hold:
    """A hold on an order."""
    return Hold(Subject.parse(subject), Reason.PRICE_TOO_LOW, message, ours)


STEP = Transition(workload_id(LEASE), LEASE, Phase.PENDING, Phase.DEPLOYING, "Lease accepted")
