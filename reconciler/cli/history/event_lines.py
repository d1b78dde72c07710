"""Events of the past in the operator's words, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.reports.commit_message import lines
from reconciler.values.approvals import Approval
from reconciler.values.intents import Confirmation
from reconciler.values.messages import CreateBid, subject
from reconciler.values.plans import Transition
from reconciler.values.records import EffectResult, Event, RecordedEvent, describe_outcome
from reconciler.values.revision_verdict import RevisionVerdict

KINDS: Mapping[type, str] = {
    Transition: "Transition",
    Confirmation: "Transaction",
    RevisionVerdict: "Revision",
    Approval: "Approval",
}


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event: its kind is one of KINDS, or Effect."""

    at: int
    kind: str
    subjects: tuple[str, ...]
    says: str


def line(happened: RecordedEvent) -> EventLine:
    """An event as it is shown."""
    event = happened.event
    return EventLine(happened.at, _kind(event), subjects(event), sentence(event))


def sentence(event: Event) -> str:
    """What happened; effects with what came of them."""
    if isinstance(event, EffectResult):
        return f"{event.what[:1].upper()}{event.what[1:]}: {describe_outcome(event.outcome)}"
    told = "; ".join(lines([event]))
    return f"{told} (transaction {event.intent.hash[:12]})" if isinstance(event, Confirmation) else told


def subjects(event: Event) -> tuple[str, ...]:
    """The ids that it is about: of a bid also its order."""
    match event:
        case Transition(workload=workload, lease=lease):
            return workload, str(lease)
        case Confirmation(intent=intent):
            found = [subject(message) for message in intent.messages]
            found += [str(m.id.order) for m in intent.messages if isinstance(m, CreateBid)]
            return tuple(dict.fromkeys(found))
        case RevisionVerdict(commit=commit):
            return (commit,)
        case Approval(breach=breach):
            return breach.revision, breach.digest
        case _:
            return (event.subject,)


def _kind(event: Event) -> str:
    return KINDS.get(type(event), "Effect")
