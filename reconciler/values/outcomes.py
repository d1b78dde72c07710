"""What came of an action."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.values.text import clean_fields


@dataclass(frozen=True, slots=True)
class Done:
    """It took effect."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never work as asked; `why` says so and `advice` what to change."""

    reason: str
    why: str
    advice: str = ""

    def __post_init__(self) -> None:
        """Bound and clean what quotes an answer."""
        clean_fields(self, "reason", "why", "advice")


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not work this time; it is tried again, not sooner than the planner's back-off says."""

    reason: str
    why: str
    advice: str = ""

    def __post_init__(self) -> None:
        """Bound and clean what quotes an answer."""
        clean_fields(self, "reason", "why", "advice")


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have taken effect; it must be confirmed before anything like it is tried again."""

    why: str

    def __post_init__(self) -> None:
        """Bound and clean what quotes an answer."""
        clean_fields(self, "why")


Outcome = Done | Refused | Failed | Unknown
