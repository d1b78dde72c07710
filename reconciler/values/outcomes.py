"""Outcomes of an action."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.values.text import clean_fields

GAS_PRICE = "GasPrice"
"""The reason of a transaction whose gas price is too low or too high."""

NOT_WORTH = "NotWorthItsFee"
"""The reason of a message that would cost more than it brings."""


@dataclass(frozen=True, slots=True)
class Done:
    """It took effect."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Permanent failure: it cannot succeed unchanged; `why` is the cause, `advice` what to change."""

    reason: str
    why: str
    advice: str = ""

    def __post_init__(self) -> None:
        """Bound and clean text from outside."""
        clean_fields(self, "reason", "why", "advice")


@dataclass(frozen=True, slots=True)
class Failed:
    """It failed this time; it is retried after the planner's back-off."""

    reason: str
    why: str
    advice: str = ""

    def __post_init__(self) -> None:
        """Bound and clean text from outside."""
        clean_fields(self, "reason", "why", "advice")


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have taken effect; it must be confirmed before it is retried."""

    why: str

    def __post_init__(self) -> None:
        """Bound and clean text from outside."""
        clean_fields(self, "why")


Outcome = Done | Refused | Failed | Unknown
