"""The journal, page by page. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.reports.events import EventView, event_view
from reconciler.reports.market_view import DecisionView, decision_view
from reconciler.values.messages import describe
from reconciler.values.records import JournalCounts, JournalPage, PastTransaction, RecordedEvent
from reconciler.values.times import NEVER, Timestamp

EVENTS_MAX = 100
MESSAGES_MAX = 100
"""Messages of one transaction that are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionView:
    """A transaction that the daemon signed. `position` rises from one to the next; `outcome` is open, landed,
    refused or expired; `height` and `at` are those of its block; `log` is the chain's reason for a refusal.
    """

    position: int
    hash: str
    outcome: str
    messages: tuple[str, ...]
    fee_uve: int
    sequence: int
    timeout_height: int
    height: int | None
    at: Timestamp
    code: int
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalView:
    """`GET /api/v1/journal`: transactions newest first; `?before=` with `next` gives older ones (null: there
    are none). `events` and `decisions` are the latest, at most 100 each, events newest first.
    """

    counts: JournalCounts
    transactions: tuple[TransactionView, ...]
    next: int | None
    events: tuple[EventView, ...]
    decisions: tuple[DecisionView, ...]


def journal_view(page: JournalPage, events: Sequence[RecordedEvent]) -> JournalView:
    """A page of the journal; `events` come oldest first."""
    return JournalView(
        counts=page.counts,
        transactions=tuple(map(transaction_view, page.transactions)),
        next=page.transactions[-1].position if page.has_older else None,
        events=tuple(map(event_view, reversed(events))),
        decisions=tuple(map(decision_view, page.decisions)),
    )


def transaction_view(found: PastTransaction) -> TransactionView:
    """A transaction of the journal, with its first 100 messages."""
    intent, end = found.intent, found.end
    messages = [describe(m) for m in intent.messages[:MESSAGES_MAX]]
    if more := len(intent.messages) - len(messages):
        messages.append(f"... and {more} more")
    return TransactionView(
        position=found.position,
        hash=intent.hash,
        outcome=end.outcome.value if end else "open",
        messages=tuple(messages),
        fee_uve=intent.fee,
        sequence=intent.sequence,
        timeout_height=intent.timeout_height,
        height=end.height if end and end.height else None,
        at=Timestamp(end.time) if end else NEVER,
        code=end.code if end else 0,
        log=end.log if end else "",
    )
