"""Messages and trailers of status commits, which make `git log` the audit query. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from reconciler.reports.events import event_lines
from reconciler.reports.plan_json import plan_digest
from reconciler.values.intents import Confirmation
from reconciler.values.plans import Plan
from reconciler.values.records import Event, Unpublished
from reconciler.values.revision_verdict import RevisionVerdict, VerdictKind

SUBJECT_CHARACTERS = 100
LINES_MAX = 200
NAMED_MAX = 2
SUMMARY = "summary"
"""The file that changes with every status commit."""


def message(events: Sequence[Event], changed: Sequence[str] = ()) -> str:
    """The first event as the subject, all as the body; without events, the names of `changed` files."""
    lines = event_lines(events) or [_observed(changed)]
    subject = lines[0] if len(lines) == 1 else f"{lines[0]} (and {len(lines) - 1} more)"
    if len(subject) > SUBJECT_CHARACTERS:
        subject = subject[: SUBJECT_CHARACTERS - 1] + "…"
    rest = lines[:LINES_MAX] if len(lines) > 1 or subject != lines[0] else []
    more = [f"... and {len(lines) - LINES_MAX} more"] if len(lines) > LINES_MAX else []
    return "\n".join([subject, *([""] if rest else []), *rest, *more])


def mark(event: Unpublished) -> str:
    """Identifies an event by its number and its content, because a restored journal reuses numbers."""
    return f"{event.id}-{hashlib.sha256(repr(event.event).encode()).hexdigest()[:12]}"


def trailers(events: Sequence[Event], plan: Plan, height: int) -> tuple[tuple[str, str], ...]:
    """Desired-Revision, Plan-Digest, Chain-Height, a Tx-Hash for each transaction that landed or was refused,
    and a Held-Revision for each revision held since; the newest last, while it is not the one in force.
    """
    hashes = dict.fromkeys(e.intent.hash for e in events if isinstance(e, Confirmation))
    waiting = [
        e.commit
        for e in (*events, plan.revision_verdict)
        if isinstance(e, RevisionVerdict) and _is_waiting(e)
    ]
    held = dict.fromkeys(reversed(waiting))
    return (
        *((("Desired-Revision", plan.revision),) if plan.revision else ()),
        *(("Held-Revision", commit) for commit in reversed(held)),
        ("Plan-Digest", plan_digest(plan)),
        *(("Tx-Hash", h) for h in hashes),
        *((("Chain-Height", str(height)),) if height else ()),
    )


def _is_waiting(verdict: RevisionVerdict) -> bool:
    return verdict.verdict in (VerdictKind.HELD, VerdictKind.REFUSED)


def _observed(names: Sequence[str]) -> str:
    """For a commit without events: a hold, a trouble or a figure changed."""
    named = [name for name in names if name != SUMMARY] or list(names)
    more = f" and {len(named) - NAMED_MAX} more" if len(named) > NAMED_MAX else ""
    return f"Status as observed: {', '.join(named[:NAMED_MAX])}{more}" if named else "Status as observed"
