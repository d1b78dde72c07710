"""The last plan and the journal in the API's shapes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple
from zlib import crc32

from reconciler.api.views.schemas_cycle import (
    HappenedShape,
    JournalAnswer,
    JournalCountsShape,
    PlanAnswer,
    PlanHoldShape,
    TransactionShape,
)
from reconciler.api.views.views import LISTED_MAX, moment
from reconciler.api.views.views_market import decision
from reconciler.reports.commit_message import lines
from reconciler.reports.plan_json import hold_fields, plan_fields
from reconciler.values.intents import IntentOutcome
from reconciler.values.messages import describe
from reconciler.values.plans import Hold, Plan
from reconciler.values.records import (
    EffectResult,
    Event,
    JournalPage,
    PastTransaction,
    RecordedEvent,
    describe_outcome,
)

EVENTS_MAX = 100
MESSAGES_MAX = 100
"""Messages of one transaction that are told one by one."""


def plan_answer(plan: Plan | None) -> PlanAnswer:
    """What the last cycle decided; an empty plan before the first."""
    if plan is None:
        return PlanAnswer(revision="", quiet=True, actions=[], holds=[], holds_total=0, transitions=[])
    short = replace(
        plan,
        actions=plan.actions[:LISTED_MAX],
        holds=tuple(sorted(plan.holds, key=lambda h: not h.ours))[:LISTED_MAX],
        transitions=plan.transitions[:LISTED_MAX],
    )
    return PlanAnswer.model_validate({**plan_fields(short), "holds_total": len(plan.holds)})


def hold(found: Hold) -> PlanHoldShape:
    """An effect that is withheld."""
    return PlanHoldShape.model_validate(hold_fields(found))


def hold_place(found: Hold) -> HoldPlace:
    """Its place in a list that is told page by page; two may differ in their sentence alone."""
    return HoldPlace(found.subject, found.reason.value, f"{crc32(found.message.encode()):08x}")


class HoldPlace(NamedTuple):
    """Subject, reason and a mark of the sentence."""

    subject: str
    reason: str
    mark: str

    @classmethod
    def parse(cls, text: str) -> HoldPlace:
        """The place that `str` gave."""
        return cls(*text.rsplit(" ", 2))

    def __str__(self) -> str:
        return " ".join(self)


def journal(look: JournalPage, events: Sequence[RecordedEvent]) -> JournalAnswer:
    """A page of the journal; events come oldest first."""
    ended = look.counts.ended
    return JournalAnswer(
        counts=JournalCountsShape(
            open=look.counts.open,
            landed=ended.get(IntentOutcome.LANDED, 0),
            refused=ended.get(IntentOutcome.REFUSED, 0),
            expired=ended.get(IntentOutcome.EXPIRED, 0),
            unpublished=look.counts.unpublished,
        ),
        transactions=[_transaction(t) for t in look.transactions],
        next=look.transactions[-1].position if look.has_older else None,
        events=[
            HappenedShape(at=moment(each.at), says=says)
            for each in reversed(events)
            for says in _says(each.event)
        ],
        decisions=[decision(d) for d in look.decisions],
    )


def _says(event: Event) -> list[str]:
    """Also what worked, which a commit's message leaves to what follows from it."""
    if isinstance(event, EffectResult):
        return [f"{event.what[:1].upper()}{event.what[1:]}: {describe_outcome(event.outcome)}"]
    return lines([event])


def _transaction(found: PastTransaction) -> TransactionShape:
    intent, end = found.intent, found.end
    messages = [describe(m) for m in intent.messages[:MESSAGES_MAX]]
    if more := len(intent.messages) - len(messages):
        messages.append(f"... and {more} more")
    return TransactionShape(
        position=found.position,
        hash=intent.hash,
        fate=end.fate.value if end else "open",
        messages=messages,
        fee_uve=intent.fee,
        sequence=intent.sequence,
        timeout_height=intent.timeout_height,
        height=end.height if end and end.height else None,
        at=moment(end.time) if end else None,
        code=end.code if end else 0,
        log=end.log if end else "",
    )
