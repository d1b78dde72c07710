"""What the HTTP API answers about cycles: the last plan, the journal, and what was asked of the loop."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from reconciler.api.views.schemas import Shape
from reconciler.api.views.schemas_market import DecisionShape


class ActionShape(Shape):
    """An effect of the plan, with further fields by its kind, as `provider-daemon plan -o json` has them."""

    model_config = ConfigDict(extra="allow")

    kind: str
    """SendTransaction, BroadcastAgain, PrepareAdapter, ApplyWorkload, RemoveWorkload, NotifyTenant."""
    subjects: list[str]
    what: str
    """The effect in the operator's words."""


class PlanHoldShape(Shape):
    """An effect that is withheld."""

    subject: str
    reason: str
    message: str
    ours: bool
    """Whether it is published, as its subject is ours."""
    approval: str = ""
    """The digest with which the host's owner lets it pass; empty: nobody can."""


class HoldsAnswer(Shape):
    """`GET /api/v1/holds`: what is withheld, in the order of its subjects, all or what fits the question."""

    holds: list[PlanHoldShape]
    total: int
    """All that fit the question, on this page or not."""
    next: str
    """Ask with `?after=` this for the next page; empty: this is the last one."""


class TransitionShape(Shape):
    """A step of a workload's lifecycle."""

    workload: str
    lease: str
    start: str = Field(alias="from")
    to: str
    trigger: str
    detail: str


class PlanAnswer(Shape):
    """`GET /api/v1/plan`: what the last cycle decided."""

    revision: str
    quiet: bool
    """true: there was nothing to do."""
    actions: list[ActionShape]
    """At most 1,000."""
    holds: list[PlanHoldShape]
    """At most 1,000, ours first."""
    holds_total: int
    transitions: list[TransitionShape]
    """At most 1,000."""


class JournalCountsShape(Shape):
    """How many the journal holds of each."""

    open: int
    """Transactions on their way."""
    landed: int
    refused: int
    expired: int
    unpublished: int
    """Events that no pushed status commit tells yet."""


class TransactionShape(Shape):
    """A transaction of ours."""

    position: int
    """Rises from one to the next."""
    hash: str
    fate: Literal["open", "landed", "refused", "expired"]
    messages: list[str]
    fee_uve: int
    sequence: int
    timeout_height: int
    height: int | None
    """The block that it is in."""
    at: str | None
    """That block's time."""
    code: int
    log: str
    """The chain's words where it was refused."""


class HappenedShape(Shape):
    """A step of a lifecycle, a transaction's end, or an effect and what came of it."""

    at: str | None
    says: str


class JournalAnswer(Shape):
    """`GET /api/v1/journal`: transactions newest first, page by page, with what is latest beside them."""

    counts: JournalCountsShape
    transactions: list[TransactionShape]
    next: int | None
    """Ask with `?before=` this for older transactions; null: there are none."""
    events: list[HappenedShape]
    """What happened last, newest first, at most 100."""
    decisions: list[DecisionShape]
    """The latest, at most 100."""


class AskedAnswer(Shape):
    """`POST /api/v1/reconcile` and `/hooks/git`: the loop is woken and looks at the repository now."""

    asked: bool
    cycle_finished_at: str | None
    """When the last cycle ended; a later time tells that yours has run."""
