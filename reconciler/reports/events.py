"""Events as sentences, for commit messages, the log, the API and the `events` command. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.values.approvals import Approval
from reconciler.values.ids import workload_id
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.messages import (
    CloseBid,
    CreateBid,
    Message,
    PayOut,
    RecordUsage,
    SettleUsage,
    WithdrawLease,
    subject_of,
)
from reconciler.values.outcomes import Done
from reconciler.values.plans import Transition
from reconciler.values.records import EffectResult, Event, RecordedEvent, describe_outcome
from reconciler.values.revision_verdict import RevisionVerdict
from reconciler.values.times import Timestamp

KINDS: Mapping[type, str] = {
    Transition: "Transition",
    Confirmation: "Transaction",
    RevisionVerdict: "Revision",
    Approval: "Approval",
    EffectResult: "Effect",
}


@dataclass(frozen=True, slots=True)
class EventView:
    """A step of a workload's lifecycle (kind Transition), the end of a transaction (Transaction), a verdict
    on a revision (Revision), an approval (Approval), or the result of an effect (Effect).
    """

    at: Timestamp
    kind: str
    subjects: tuple[str, ...]
    message: str


def event_view(recorded: RecordedEvent) -> EventView:
    """An event of the journal."""
    event = recorded.event
    message = _effect(event) if isinstance(event, EffectResult) else "; ".join(_sentences(event))
    if isinstance(event, Confirmation):
        message = f"{message} (transaction {event.intent.hash[:12]})"
    return EventView(Timestamp(recorded.at), KINDS[type(event)], event_subjects(event), message)


def event_subjects(event: Event) -> tuple[str, ...]:
    """The ids that an event is about; those of a bid include its order."""
    match event:
        case Transition(workload=workload, lease=lease):
            return workload, str(lease)
        case Confirmation(intent=intent):
            found = [str(subject_of(message)) for message in intent.messages]
            found += [str(m.id.order) for m in intent.messages if isinstance(m, CreateBid)]
            return tuple(dict.fromkeys(found))
        case RevisionVerdict(commit=commit):
            return (commit,)
        case Approval(breach=breach):
            return breach.revision, breach.digest
        case _:
            return (str(event.key.subject),)


def event_lines(events: Iterable[Event]) -> list[str]:
    """The sentences of new events. Successful effects are omitted, because their consequences are events
    themselves; repeated sentences are omitted, except for lifecycle steps.
    """
    found: list[str] = []
    known: set[str] = set()
    for event in events:
        fresh = [line for line in _sentences(event) if isinstance(event, Transition) or line not in known]
        known.update(fresh)
        found += fresh
    return found


def _sentences(event: Event) -> list[str]:
    match event:
        case Transition():
            return [_transition(event)]
        case Confirmation():
            return _confirmed(event)
        case RevisionVerdict() | Approval():
            return [event.describe()]
        case _:
            return [] if isinstance(event.outcome, Done) else [_effect(event)]


def _transition(step: Transition) -> str:
    if step.from_phase is step.to_phase:
        trigger = f"{step.trigger[:1].lower()}{step.trigger[1:]}"
        detail = f"; {step.detail}" if step.detail else ""
        return f"Workload {step.workload} is {step.to_phase}: {trigger}{detail}"
    detail = f" ({step.detail})" if step.detail else ""
    return f"Workload {step.workload}: {step.from_phase} -> {step.to_phase}, {step.trigger.lower()}{detail}"


def _confirmed(end: Confirmation) -> list[str]:
    if end.outcome is IntentOutcome.LANDED:
        return [landed_sentence(m) for m in end.intent.messages]
    if end.outcome is IntentOutcome.EXPIRED:
        return [f"Transaction {end.intent.hash[:12]} expired unexecuted; nothing was spent"]
    spent = f"its fee of {end.intent.fee}uve is spent" if end.height else "nothing was spent"
    first = end.log.splitlines()[0] if end.log else f"{end.codespace}/{end.code}"
    return [f"Transaction {end.intent.hash[:12]} was refused, {spent}: {first}"]


def landed_sentence(message: Message) -> str:
    """A message that the chain executed."""
    match message:
        case CreateBid(id=bid, price=price):
            return f"Bid {price.normalize():f}uve a block on order {bid.order}"
        case CloseBid(id=bid, lease=True, cause=cause):
            return f"Closed lease {workload_id(bid)} ({cause})"
        case CloseBid(id=bid):
            return f"Closed our bid on order {bid.order}; its deposit was returned"
        case WithdrawLease(id=lease, expected=expected):
            return f"Withdrew about {expected}uve from lease {workload_id(lease)}"
        case RecordUsage(lease=lease, amount=amount):
            return f"usage submitted: {amount}uve for lease {workload_id(lease)}"
        case SettleUsage(order=order, amount=amount):
            return f"Settled usage of {amount}uve for order {order}"
        case PayOut(recipient=recipient, amount=amount):
            return f"Paid out {amount}uve to {recipient}"


def _effect(result: EffectResult) -> str:
    return f"{result.effect[:1].upper()}{result.effect[1:]}: {describe_outcome(result.outcome)}"
