"""The records of a subject in the journal, by any of its ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from reconciler.cli.errors import CliError
from reconciler.journal.opening import SqliteRecords
from reconciler.reports.events import EventView, event_view
from reconciler.reports.explanation import ExplainedCase, ExplanationStep, decision_step, explanation
from reconciler.values.ids import LeaseId, OrderId, WorkloadId, workload_id
from reconciler.values.memory import Memory
from reconciler.values.messages import describe
from reconciler.values.plans import Transition
from reconciler.values.records import PastTransaction, RecordedEvent
from reconciler.values.subjects import Subject
from reconciler.values.times import Timestamp

EVENTS_SHOWN = 12
EVENTS_READ = 20_000
TRANSACTIONS_SHOWN = 10
_HASH = re.compile(r"[0-9A-Fa-f]{6,64}")
_NUMBER = re.compile(r"[0-9]{1,19}")
_WORKLOAD = re.compile(r"(?:workloads/)?(\d{1,20}-\d{1,10}-\d{1,10}-[a-z2-7]{10})(?:\.yaml)?")


@dataclass(frozen=True, slots=True)
class ExplainedSubject:
    """The steps and the last events of a subject, and its workload, if it has one."""

    steps: tuple[ExplanationStep, ...]
    events: tuple[EventView, ...]
    workload: WorkloadId | None = None


def explained_subject(records: SqliteRecords, subject: str) -> ExplainedSubject:
    """The records of the subject; empty if there are none."""
    if _NUMBER.fullmatch(subject):
        subject = _order_of(records, int(subject)) or subject
    if _HASH.fullmatch(subject) and (found := records.transactions(subject, TRANSACTIONS_SHOWN)):
        return ExplainedSubject(tuple(map(_transaction, found)), ())
    memory, events = records.memory(), records.events(0, EVENTS_READ)
    lease, order = _ids(subject, memory, events)
    if order is not None and lease is None:
        lease = _lease_on(order, records)
    workload = workload_id(lease) if lease else None
    subjects = {subject, *(str(each) for each in (order, lease, workload) if each)}
    shown = [each for each in map(event_view, events) if subjects & set(each.subjects)][-EVENTS_SHOWN:]
    case = ExplainedCase(order, lease, workload, (), memory)
    return ExplainedSubject(tuple(_steps(records, subject, case)), tuple(shown), workload)


def _order_of(records: SqliteRecords, dseq: int) -> str:
    """The order with this deployment's number ("": none); CliError if there are several."""
    found = records.orders_of(dseq)
    if len(found) > 1:
        raise CliError(f"error: {dseq} matches {', '.join(found)}; name one of them")
    return found[0] if found else ""


def _steps(records: SqliteRecords, subject: str, case: ExplainedCase) -> Iterator[ExplanationStep]:
    if case.order is None:
        for each in records.decisions(Subject.parse(subject)):
            yield decision_step(each, "held" if each.is_active else "was held" if each.held else "did")
        return
    found = tuple(d for each in case.subjects for d in records.decisions(each))
    known = case.workload in case.memory.workloads
    if found or known:
        yield from explanation(replace(case, decisions=found))


def _ids(
    subject: str, memory: Memory, events: tuple[RecordedEvent, ...]
) -> tuple[LeaseId | None, OrderId | None]:
    if match := _WORKLOAD.fullmatch(subject):
        lease = _lease_of(WorkloadId(match[1]), memory, events)
        return lease, lease.order if lease else None
    parsed = Subject.parse(subject)
    return parsed.lease, parsed.order


def _lease_of(workload: WorkloadId, memory: Memory, events: tuple[RecordedEvent, ...]) -> LeaseId | None:
    if workload in memory.workloads:
        return memory.workloads[workload].lease
    steps = (e.event for e in events if isinstance(e.event, Transition) and e.event.workload == workload)
    return next((step.lease for step in steps), None)


def _lease_on(order: OrderId, records: SqliteRecords) -> LeaseId | None:
    """The lease of our bid on an order, made or not."""
    for each in records.decisions(Subject.of_order(order)):
        if each.subject.lease is not None:
            return each.subject.lease
    known = (w.lease for w in records.memory().workloads.values())
    return next((lease for lease in known if lease.order == order), None)


def _transaction(found: PastTransaction) -> ExplanationStep:
    messages = "; ".join(map(describe, found.intent.messages))
    fee = f"fee {found.intent.fee}uve"
    name = f"{found.intent.hash}: {messages}; {fee}"
    if found.end is None:
        return ExplanationStep(
            "sent", "open", f"{name}; it expires after block {found.intent.timeout_height}"
        )
    where = f"in block {found.end.height}" if found.end.height else "in no block"
    why = f": {found.end.log}" if found.end.log else ""
    return ExplanationStep(
        "sent", found.end.outcome.value, f"{name}; {where}{why}", since=Timestamp(found.end.time)
    )
