"""What the HTTP API answers, field by field: uve amounts as whole numbers, rates as decimal texts, times in
UTC as RFC 3339 texts, null for what has not happened.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """An answer or a part of one; fields are only ever added."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )


class ErrorAnswer(Shape):
    """Why there is no other answer."""

    error: str
    """A sentence."""
    advice: str
    """What to do instead."""


class HoldShape(Shape):
    """An effect that is withheld."""

    subject: str
    """The id of what it is about; empty: the provider as a whole."""
    reason: str
    """One word, such as PriceTooLow."""
    message: str
    """A sentence with the figures."""


class ChainShape(Shape):
    """The chain as last seen."""

    id: str
    height: int
    time: str | None


class RevisionsShape(Shape):
    """Commits: the newest desired one, the one in force, the last status commit that was pushed."""

    desired: str
    applied: str
    published: str


class MoneyShape(Shape):
    """The books, in whole uve."""

    balance_uve: int
    deposits_uve: int
    earned_uve: int
    accrued_uve: int
    fees_uve: int
    received_uve: int


class CountsShape(Shape):
    """How many of each; workloads by phase, holds by reason."""

    orders_open: int
    bids_open: int
    leases: int
    workloads: dict[str, int]
    holds: dict[str, int]


class CycleShape(Shape):
    """The last cycle that ended."""

    started_at: str
    finished_at: str
    duration_seconds: float
    outcome: str
    why: str
    failures: int
    actions: int
    plan_digest: str


class ReadingShape(Shape):
    """A source: when it was last seen, and why it is not seen now (empty: it is)."""

    source: str
    seen_at: str | None
    why: str


class IntentShape(Shape):
    """A transaction on its way."""

    hash: str
    messages: list[str]
    fee_uve: int
    timeout_height: int


class TroubleShape(Shape):
    """Why something is not well."""

    reason: str
    message: str
    advice: str


class StatusAnswer(Shape):
    """`GET /api/v1/status`: the provider as a whole."""

    provider: str
    address: str
    chain: ChainShape
    revisions: RevisionsShape
    observe_only: bool
    spending_stopped: bool
    draining: bool
    """true: nothing is bid on, leases go on (`provider-daemon drain`)."""
    troubles: list[TroubleShape]
    """What is not well with the daemon itself, such as a certificate that has expired."""
    counts: CountsShape
    money: MoneyShape
    cycle: CycleShape | None
    readings: list[ReadingShape]
    intents: list[IntentShape]
    holds: list[HoldShape]
    """Holds on what is ours, at most 1,000."""


class BidShape(Shape):
    """An open bid of ours."""

    id: str
    order: str
    state: str
    price_uve: str
    deposit_uve: int
    created_at_height: int


class HealthAnswer(Shape):
    """`GET /healthz` and `/readyz`."""

    status: str
    """ok, or not ready."""
    why: str
    """Empty, or what is waited for."""
