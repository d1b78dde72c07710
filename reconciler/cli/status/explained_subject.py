"""What the journal has on a subject, whichever of its ids it is asked for by."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from reconciler.cli.errors import CliError
from reconciler.cli.history.event_lines import EventLine, line
from reconciler.journal.opening import SqliteRecords
from reconciler.reports.explanation import ExplainedCase, Link, causes, decided
from reconciler.values.ids import LeaseId, OrderId, WorkloadId, workload_id
from reconciler.values.memory import Memory
from reconciler.values.messages import describe
from reconciler.values.plans import Transition
from reconciler.values.records import PastTransaction, RecordedEvent

EVENTS_SHOWN = 12
EVENTS_READ = 20_000
TRANSACTIONS_SHOWN = 10
_HASH = re.compile(r"[0-9A-Fa-f]{6,64}")
_NUMBER = re.compile(r"[0-9]{1,19}")
_WORKLOAD = re.compile(r"(?:workloads/)?(\d{1,20}-\d{1,10}-\d{1,10}-[a-z2-7]{10})(?:\.yaml)?")


@dataclass(frozen=True, slots=True)
class ExplainedSubject:
    """The links and the last events about a subject; the workload where it has one."""

    links: tuple[Link, ...]
    events: tuple[EventLine, ...]
    workload: WorkloadId | None = None


def explained_subject(records: SqliteRecords, asked: str) -> ExplainedSubject:
    """What is on record; empty where nothing is."""
    if _NUMBER.fullmatch(asked):
        asked = _order_of(records, int(asked)) or asked
    if _HASH.fullmatch(asked) and (found := records.transactions(asked, TRANSACTIONS_SHOWN)):
        return ExplainedSubject(tuple(map(_transaction, found)), ())
    memory, events = records.memory(), records.events(0, EVENTS_READ)
    lease, order = _ids(asked, memory, events)
    if order is not None and lease is None:
        lease = _lease_on(order, records)
    workload = workload_id(lease) if lease else None
    subjects = {asked, *(str(each) for each in (order, lease, workload) if each)}
    shown = [each for each in map(line, events) if subjects & set(each.subjects)][-EVENTS_SHOWN:]
    case = ExplainedCase(order, lease, workload, (), memory)
    return ExplainedSubject(tuple(_links(records, asked, case)), tuple(shown), workload)


def _order_of(records: SqliteRecords, dseq: int) -> str:
    """The order that a deployment's number alone means; "" for none. ToldError where it may be several."""
    found = records.orders_of(dseq)
    if len(found) > 1:
        raise CliError(f"error: {dseq} may be {', '.join(found)}; write the one you mean")
    return found[0] if found else ""


def _links(records: SqliteRecords, asked: str, case: ExplainedCase) -> Iterator[Link]:
    if case.order is None:
        for each in records.decisions(asked):
            yield decided(each, "held" if each.stands else "was held" if each.held else "did")
        return
    found = tuple(d for name in case.subjects for d in records.decisions(name))
    known = case.workload in case.memory.workloads
    if found or known:
        yield from causes(replace(case, decisions=found))


def _ids(
    asked: str, memory: Memory, events: tuple[RecordedEvent, ...]
) -> tuple[LeaseId | None, OrderId | None]:
    if match := _WORKLOAD.fullmatch(asked):
        lease = _lease_of(WorkloadId(match[1]), memory, events)
        return lease, lease.order if lease else None
    for kind in (LeaseId, OrderId):
        try:
            found = kind.parse(asked)
        except ValueError:
            continue
        return (found, found.order) if isinstance(found, LeaseId) else (None, found)
    return None, None


def _lease_of(workload: WorkloadId, memory: Memory, events: tuple[RecordedEvent, ...]) -> LeaseId | None:
    if workload in memory.workloads:
        return memory.workloads[workload].lease
    steps = (e.event for e in events if isinstance(e.event, Transition) and e.event.workload == workload)
    return next((step.lease for step in steps), None)


def _lease_on(order: OrderId, records: SqliteRecords) -> LeaseId | None:
    """The lease that our bid on an order would make, or has made."""
    for each in records.decisions(str(order)):
        if each.subject.count("/") == str(order).count("/") + 1:
            return LeaseId.parse(each.subject)
    known = (w.lease for w in records.memory().workloads.values())
    return next((lease for lease in known if lease.order == order), None)


def _transaction(found: PastTransaction) -> Link:
    words = "; ".join(map(describe, found.intent.messages))
    fee = f"fee {found.intent.fee}uve"
    name = f"{found.intent.hash}: {words}; {fee}"
    if found.end is None:
        return Link("sent", "open", f"{name}; it lands up to block {found.intent.timeout_height}")
    where = f"in block {found.end.height}" if found.end.height else "in no block"
    why = f": {found.end.log}" if found.end.log else ""
    return Link("sent", found.end.fate.value, f"{name}; {where}{why}", since=found.end.time)
