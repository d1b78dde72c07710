"""A plan sorted by what it is about, as a person asks: what happens to this order, or workload, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from reconciler.values.ids import LeaseId, OrderId, WorkloadId, workload_id
from reconciler.values.messages import (
    CloseBid,
    CreateBid,
    Message,
    RecordUsage,
    SettleUsage,
    WithdrawLease,
    describe,
)
from reconciler.values.plans import (
    Action,
    ApplyWorkload,
    BroadcastAgain,
    Hold,
    NotifyTenant,
    Plan,
    PrepareAdapter,
    RemoveWorkload,
    SendTransaction,
    Transition,
)


class SubjectKind(IntEnum):
    """What an object is; the order of the report."""

    PROVIDER = 0
    FILE = 1
    ORDER = 2
    WORKLOAD = 3
    ADAPTER = 4
    TRANSACTION = 5


class Sign(IntEnum):
    """What a line says: observed, done, or withheld; the order of an object's lines."""

    SEEN = 0
    DONE = 1
    HELD = 2


SIGNS = {Sign.SEEN: "~", Sign.DONE: "+", Sign.HELD: "-"}
"""What a line begins with where people read it."""


@dataclass(frozen=True, slots=True, order=True)
class PlanLine:
    """One line about an object."""

    sign: Sign
    text: str


Served = Mapping[OrderId, WorkloadId]
"""The workloads of orders that became leases of ours."""

_WORKLOAD = re.compile(r"[0-9]+-[0-9]+-[0-9]+-[a-z2-7]{10}")
_TRANSACTION = re.compile(r"[0-9A-F]{64}")

ADAPTERS = frozenset({"kubernetes", "ansible"})


@dataclass(frozen=True, slots=True, order=True)
class PlanSubject:
    """An object of the report; the provider itself has the id ""."""

    kind: SubjectKind
    id: str


@dataclass(frozen=True, slots=True)
class SubjectEntry:
    """Everything that a plan says about one object."""

    subject: PlanSubject
    lines: tuple[PlanLine, ...]


def entries(plan: Plan) -> tuple[SubjectEntry, ...]:
    """The objects of a plan, sorted by kind and id; effects of one object in the plan's order."""
    served = {known.lease.order: name for name, known in plan.memory.workloads.items()}
    found: dict[PlanSubject, list[PlanLine]] = {}
    for about, line in _lines(plan, served):
        found.setdefault(about, []).append(line)
    return tuple(
        SubjectEntry(about, tuple(sorted(found[about], key=lambda line: line.sign)))
        for about in sorted(found)
    )


def _lines(plan: Plan, served: Served) -> Iterator[tuple[PlanSubject, PlanLine]]:
    for step in plan.transitions:
        yield PlanSubject(SubjectKind.WORKLOAD, step.workload), PlanLine(Sign.SEEN, _step(step))
    for action in plan.actions:
        yield from _effects(action, served)
    for hold in plan.holds:
        yield of_hold(hold), PlanLine(Sign.HELD, f"{hold.reason}: {hold.message}")


def _effects(action: Action, served: Served) -> Iterator[tuple[PlanSubject, PlanLine]]:
    match action:
        case SendTransaction(messages=messages, fee_max=fee):
            for message in messages:
                yield of_message(message, served), PlanLine(Sign.DONE, describe(message))
            count = f"{len(messages)} message{'s' if len(messages) != 1 else ''}"
            yield (
                PlanSubject(SubjectKind.PROVIDER, ""),
                PlanLine(Sign.DONE, f"send one transaction of {count}, for at most {fee}uve in fees"),
            )
        case BroadcastAgain(hash=tx):
            yield PlanSubject(SubjectKind.TRANSACTION, tx), PlanLine(Sign.DONE, action.show())
        case PrepareAdapter(adapter=adapter):
            yield PlanSubject(SubjectKind.ADAPTER, adapter), PlanLine(Sign.DONE, action.show())
        case ApplyWorkload(workload=workload):
            yield PlanSubject(SubjectKind.WORKLOAD, workload.id), PlanLine(Sign.DONE, action.show())
        case RemoveWorkload(id=name):
            yield PlanSubject(SubjectKind.WORKLOAD, name), PlanLine(Sign.DONE, action.show())
        case NotifyTenant(lease=lease):
            yield PlanSubject(SubjectKind.WORKLOAD, workload_id(lease)), PlanLine(Sign.DONE, action.show())


def _step(step: Transition) -> str:
    detail = f" ({step.detail})" if step.detail else ""
    step_taken = step.end if step.start is step.end else f"{step.start} -> {step.end}"
    return f"{step_taken}: {step.trigger}{detail}"


def of_message(message: Message, served: Served) -> PlanSubject:
    """The order that a bid is on, or the workload of a lease."""
    match message:
        case CloseBid(id=lease, lease=True) | WithdrawLease(id=lease) | RecordUsage(lease=lease):
            return PlanSubject(SubjectKind.WORKLOAD, workload_id(lease))
        case CreateBid(id=bid) | CloseBid(id=bid):
            return PlanSubject(SubjectKind.ORDER, str(bid.order))
        case SettleUsage(order=order) if order in served:
            return PlanSubject(SubjectKind.WORKLOAD, served[order])
        case SettleUsage(order=order):
            return PlanSubject(SubjectKind.ORDER, str(order))


def of_hold(hold: Hold) -> PlanSubject:
    """What a hold is about, by the form of its subject's id; what has no other place is the provider's."""
    text = hold.subject
    if text.endswith((".yaml", ".yml")):
        return PlanSubject(SubjectKind.FILE, text)
    if text in ADAPTERS:
        return PlanSubject(SubjectKind.ADAPTER, text)
    if _WORKLOAD.fullmatch(text):
        return PlanSubject(SubjectKind.WORKLOAD, text)
    if _TRANSACTION.fullmatch(text):
        return PlanSubject(SubjectKind.TRANSACTION, text)
    try:
        lease = text.count("/") == 4
        return PlanSubject(
            SubjectKind.ORDER, str(LeaseId.parse(text).order if lease else OrderId.parse(text))
        )
    except ValueError:
        return PlanSubject(SubjectKind.PROVIDER, text)
