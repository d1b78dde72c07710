"""What happened, in the operator's words, and the trailers that make `git log` the audit query. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from reconciler.reports.plan_json import plan_digest
from reconciler.values.approvals import Approval
from reconciler.values.ids import workload_id
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.messages import (
    CloseBid,
    CreateBid,
    Message,
    RecordUsage,
    SettleUsage,
    WithdrawLease,
)
from reconciler.values.outcomes import Done
from reconciler.values.plans import Plan, Transition
from reconciler.values.records import EffectResult, Event, Unpublished, describe_outcome
from reconciler.values.revision_verdict import RevisionVerdict, VerdictKind

SUBJECT_CHARACTERS = 100
LINES_MAX = 200
NAMED_MAX = 2
SUMMARY = "summary"
"""The file that every other one changes too."""


def lines(events: Iterable[Event]) -> list[str]:
    """One sentence an event; but for the steps of a lifecycle, which may come again, what was said is not
    said again.
    """
    told: list[str] = []
    said: set[str] = set()
    for event in events:
        fresh = [line for line in _lines(event) if isinstance(event, Transition) or line not in said]
        said.update(fresh)
        told += fresh
    return told


def message(events: Sequence[Event], changed: Sequence[str] = ()) -> str:
    """A commit message: what happened, the first thing in its subject; where nothing did, which files look
    different.
    """
    told = lines(events) or [_observed(changed)]
    subject = told[0] if len(told) == 1 else f"{told[0]} (and {len(told) - 1} more)"
    if len(subject) > SUBJECT_CHARACTERS:
        subject = subject[: SUBJECT_CHARACTERS - 1] + "…"
    rest = told[:LINES_MAX] if len(told) > 1 or subject != told[0] else []
    more = [f"... and {len(told) - LINES_MAX} more"] if len(told) > LINES_MAX else []
    return "\n".join([subject, *([""] if rest else []), *rest, *more])


def mark(event: Unpublished) -> str:
    """Names an event of one journal: by its place, and by what it is, as a restored journal counts anew."""
    return f"{event.id}-{hashlib.sha256(repr(event.event).encode()).hexdigest()[:12]}"


def trailers(events: Sequence[Event], plan: Plan, height: int) -> tuple[tuple[str, str], ...]:
    """Desired-Revision, Plan-Digest, Chain-Height, a Tx-Hash for each transaction that landed or was refused,
    and a Held-Revision for each that was held since; last the newest, while it is not the one in force.
    """
    hashes = dict.fromkeys(e.intent.hash for e in events if isinstance(e, Confirmation))
    waited = [e.commit for e in (*events, plan.judged) if isinstance(e, RevisionVerdict) and _waits(e)]
    held = dict.fromkeys(reversed(waited))
    return (
        *((("Desired-Revision", plan.revision),) if plan.revision else ()),
        *(("Held-Revision", commit) for commit in reversed(held)),
        ("Plan-Digest", plan_digest(plan)),
        *(("Tx-Hash", h) for h in hashes),
        *((("Chain-Height", str(height)),) if height else ()),
    )


def _waits(judged: RevisionVerdict) -> bool:
    return judged.verdict in (VerdictKind.HELD, VerdictKind.REFUSED)


def _observed(names: Sequence[str]) -> str:
    """Where nothing happened, and something looks different: a hold, a trouble, a figure."""
    named = [name for name in names if name != SUMMARY] or list(names)
    more = f" and {len(named) - NAMED_MAX} more" if len(named) > NAMED_MAX else ""
    return f"Status as observed: {', '.join(named[:NAMED_MAX])}{more}" if named else "Status as observed"


def _lines(event: Event) -> list[str]:
    if isinstance(event, Transition):
        if event.start is event.end:
            what = f"{event.trigger[:1].lower()}{event.trigger[1:]}"
            healed = f"; {event.detail}" if event.detail else ""
            return [f"Workload {event.workload} is {event.end}: {what}{healed}"]
        detail = f" ({event.detail})" if event.detail else ""
        return [f"Workload {event.workload}: {event.start} -> {event.end}, {event.trigger.lower()}{detail}"]
    match event:
        case Confirmation():
            return _confirmed(event)
        case RevisionVerdict():
            return [event.show()]
        case Approval():
            return [event.show()]
        case _:
            return _applied(event)


def _confirmed(end: Confirmation) -> list[str]:
    if end.fate is IntentOutcome.LANDED:
        return [_happened(m) for m in end.intent.messages]
    if end.fate is IntentOutcome.EXPIRED:
        return [f"Transaction {end.intent.hash[:12]} expired unexecuted; nothing was spent"]
    spent = f"its fee of {end.intent.fee}uve is spent" if end.height else "nothing was spent"
    first = end.log.splitlines()[0] if end.log else f"{end.codespace}/{end.code}"
    return [f"Transaction {end.intent.hash[:12]} was refused, {spent}: {first}"]


def _happened(message: Message) -> str:
    match message:
        case CreateBid(id=bid, price=price):
            return f"Bid {price.normalize():f}uve a block on order {bid.order}"
        case CloseBid(id=bid, lease=True, reason=reason):
            return f"Closed lease {workload_id(bid)} ({reason})"
        case CloseBid(id=bid):
            return f"Closed our bid on order {bid.order}; its deposit came back"
        case WithdrawLease(id=lease, expected=expected):
            return f"Withdrew about {expected}uve from lease {workload_id(lease)}"
        case RecordUsage(lease=lease, amount=amount):
            return f"usage submitted: {amount}uve for lease {workload_id(lease)}"
        case SettleUsage(order=order, amount=amount):
            return f"Settled usage of {amount}uve for order {order}"


def _applied(event: EffectResult) -> list[str]:
    """Effects that worked show in what follows; only those that did not are told."""
    if isinstance(event.outcome, Done):
        return []
    return [f"{event.what[:1].upper()}{event.what[1:]}: {describe_outcome(event.outcome)}"]
