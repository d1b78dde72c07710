"""Records of past cycles: results, decisions, and events to publish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.values.approvals import Approval
from reconciler.values.intents import Confirmation, Intent, IntentOutcome
from reconciler.values.messages import Message, describe
from reconciler.values.outcomes import Done, Failed, Outcome, Refused
from reconciler.values.plans import Action, SendTransaction, Transition, effect_key
from reconciler.values.revision_verdict import RevisionVerdict
from reconciler.values.subjects import EffectKey, Subject


@dataclass(frozen=True, slots=True)
class EffectResult:
    """The outcome of an action, or of one message of a transaction; `effect` describes it, `at` is in unix
    seconds of the host.
    """

    key: EffectKey
    effect: str
    outcome: Outcome
    at: int


def applied(action: Action, outcome: Outcome, at: int) -> tuple[EffectResult, ...]:
    """The results of an action, one per message of a transaction."""
    if isinstance(action, SendTransaction):
        return tuple(message_result(message, outcome, at) for message in action.messages)
    return (EffectResult(effect_key(action), action.describe(), outcome, at),)


def message_result(message: Message, outcome: Outcome, at: int) -> EffectResult:
    """The result of one message, such as one that its simulation refused."""
    return EffectResult(effect_key(message), describe(message), outcome, at)


def describe_outcome(outcome: Outcome) -> str:
    """A description of an outcome for operators."""
    match outcome:
        case Done(detail=detail):
            return f"done ({detail})" if detail else "done"
        case Refused(why=why, advice=advice):
            return f"refused: {why}" + (f" ({advice})" if advice else "")
        case Failed(why=why, advice=advice):
            return f"failed: {why}" + (f" ({advice})" if advice else "")
        case _:
            return f"not known yet: {outcome.why}"


@dataclass(frozen=True, slots=True)
class Decision:
    """The latest decision on a subject: an effect withheld, or attempted with an outcome.

    `reason` is the hold's, or the kind of the effect; `first_seen` is the start of the current uninterrupted
    period (unix seconds), `last_seen` may lag by ten minutes; `ended_at` is when a hold ended (0: active).
    """

    subject: Subject
    reason: str
    held: bool
    message: str
    first_seen: int
    last_seen: int
    ours: bool = False
    ended_at: int = 0

    @property
    def is_active(self) -> bool:
        """Whether it is an active hold."""
        return self.held and not self.ended_at


@dataclass(frozen=True, slots=True)
class PastRevision:
    """An evaluated revision: its last verdict and the digest of the deciding plan; `seen_at` is when it was
    first seen, `judged_at` when the verdict was made, `ended_at` when another revision replaced it (0: it is
    current); unix seconds of the host.
    """

    revision_verdict: RevisionVerdict
    plan_digest: str
    seen_at: int
    judged_at: int
    ended_at: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals since the journal began: bids that landed, bids that won their lease, transactions by fate."""

    bids_placed: int = 0
    bids_won: int = 0
    ended: Mapping[IntentOutcome, int] = field(default_factory=dict)


Event = Transition | Confirmation | EffectResult | RevisionVerdict | Approval
"""An event of the published status; a confirmation's intent comes without its bytes."""


@dataclass(frozen=True, slots=True)
class Unpublished:
    """An event that no pushed commit covers yet; ids rise in order of occurrence."""

    id: int
    event: Event


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """A past event, published or not; `at` in unix seconds of the host."""

    id: int
    at: int
    event: Event


@dataclass(frozen=True, slots=True)
class PastTransaction:
    """Our transaction without its bytes: its position, and its end (None: open)."""

    position: int
    intent: Intent
    end: Confirmation | None


@dataclass(frozen=True, slots=True)
class JournalCounts:
    """Counts of open and ended transactions, and of events that no pushed commit covers yet."""

    open: int = 0
    ended: Mapping[IntentOutcome, int] = field(default_factory=dict)
    unpublished: int = 0


@dataclass(frozen=True, slots=True)
class JournalPage:
    """One page of the journal: transactions newest first (`has_older`: there are more), and the latest
    decisions.
    """

    counts: JournalCounts = JournalCounts()
    transactions: tuple[PastTransaction, ...] = ()
    has_older: bool = False
    decisions: tuple[Decision, ...] = ()


class Request(StrEnum):
    """Requests to the loop from outside."""

    RECONCILE = "reconcile"
    STOP = "stop"
    FORGET_HEIGHT = "forget-height"
