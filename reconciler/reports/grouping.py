"""The lines of a plan, grouped by the object that they are about. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from reconciler.values.ids import OrderId, WorkloadId
from reconciler.values.messages import (
    CloseBid,
    CreateBid,
    Message,
    PayOut,
    RecordUsage,
    SettleUsage,
    WithdrawLease,
    describe,
)
from reconciler.values.plans import (
    Action,
    ApplyWorkload,
    Hold,
    NotifyTenant,
    Plan,
    PrepareAdapter,
    Rebroadcast,
    RemoveWorkload,
    SendTransaction,
    Transition,
)
from reconciler.values.subjects import PROVIDER, Subject


class LineKind(IntEnum):
    """Observed, planned, or held; an object's lines are sorted in this order."""

    SEEN = 0
    DONE = 1
    HELD = 2


PREFIXES = {LineKind.SEEN: "~", LineKind.DONE: "+", LineKind.HELD: "-"}
"""The prefix of a line in text output."""


@dataclass(frozen=True, slots=True, order=True)
class PlanLine:
    """One line about an object."""

    kind: LineKind
    text: str


LeasedOrders = Mapping[OrderId, WorkloadId]
"""The workloads of orders that became our leases."""


@dataclass(frozen=True, slots=True)
class SubjectEntry:
    """The lines of one object."""

    subject: Subject
    lines: tuple[PlanLine, ...]


def entries(plan: Plan) -> tuple[SubjectEntry, ...]:
    """The objects of a plan, sorted by kind and name; lines of one kind in the plan's order."""
    leased = {known.lease.order: name for name, known in plan.memory.workloads.items()}
    found: dict[Subject, list[PlanLine]] = {}
    for about, line in _lines(plan, leased):
        found.setdefault(about, []).append(line)
    return tuple(
        SubjectEntry(about, tuple(sorted(found[about], key=lambda line: line.kind)))
        for about in sorted(found, key=lambda each: (each.kind, each.name))
    )


def _lines(plan: Plan, leased: LeasedOrders) -> Iterator[tuple[Subject, PlanLine]]:
    for step in plan.transitions:
        yield Subject.of_workload(step.workload), PlanLine(LineKind.SEEN, _step(step))
    for action in plan.actions:
        yield from _effects(action, leased)
    for hold in plan.holds:
        yield subject_of_hold(hold), PlanLine(LineKind.HELD, f"{hold.reason}: {hold.message}")


def _effects(action: Action, leased: LeasedOrders) -> Iterator[tuple[Subject, PlanLine]]:
    match action:
        case SendTransaction(messages=messages, terms=terms):
            for message in messages:
                yield subject_of_message(message, leased), PlanLine(LineKind.DONE, describe(message))
            count = f"{len(messages)} message{'s' if len(messages) != 1 else ''}"
            yield (
                PROVIDER,
                PlanLine(LineKind.DONE, f"send one transaction of {count}, for about {terms.fee}uve in fees"),
            )
        case Rebroadcast(hash=tx):
            yield Subject.of_transaction(tx), PlanLine(LineKind.DONE, action.describe())
        case PrepareAdapter(adapter=adapter):
            yield Subject.of_adapter(adapter), PlanLine(LineKind.DONE, action.describe())
        case ApplyWorkload(workload=workload):
            yield Subject.of_workload(workload.id), PlanLine(LineKind.DONE, action.describe())
        case RemoveWorkload(id=name):
            yield Subject.of_workload(name), PlanLine(LineKind.DONE, action.describe())
        case NotifyTenant(lease=lease):
            yield Subject.of_workload(lease), PlanLine(LineKind.DONE, action.describe())


def _step(step: Transition) -> str:
    detail = f" ({step.detail})" if step.detail else ""
    phases = step.to_phase if step.from_phase is step.to_phase else f"{step.from_phase} -> {step.to_phase}"
    return f"{phases}: {step.trigger}{detail}"


def subject_of_message(message: Message, leased: LeasedOrders) -> Subject:
    """The order that a bid is on, the workload of a lease, or the provider."""
    match message:
        case CloseBid(id=lease, lease=True) | WithdrawLease(id=lease) | RecordUsage(lease=lease):
            return Subject.of_workload(lease)
        case CreateBid(id=bid) | CloseBid(id=bid):
            return Subject.of_order(bid.order)
        case SettleUsage(order=order) if order in leased:
            return Subject.of_workload(leased[order])
        case SettleUsage(order=order):
            return Subject.of_order(order)
        case PayOut():
            return PROVIDER


def subject_of_hold(hold: Hold) -> Subject:
    """The object that a hold is listed under: for a hold on a bid or lease, the order."""
    return hold.subject if hold.subject.lease is None else Subject.of_order(hold.subject.lease.order)
