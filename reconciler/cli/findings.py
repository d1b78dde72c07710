"""What `doctor` finds: one line a check, with what to do where something is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Fine; worth a look; or wrong, so that the daemon cannot do its work."""

    OK = "ok"
    WARN = "warn"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what it looked at, how that is, what it saw, and what to do."""

    check: str
    state: State
    message: str
    advice: str = ""


def ok(check: str, message: str) -> Finding:
    """Nothing to do."""
    return Finding(check, State.OK, message)


def warn(check: str, message: str, advice: str = "") -> Finding:
    """It works, and may not for long."""
    return Finding(check, State.WARN, message, advice)


def wrong(check: str, message: str, advice: str = "") -> Finding:
    """It does not work; a sentence that ends in "; do this" brings its own advice."""
    if not advice:
        message, _, advice = message.partition("; ")
    return Finding(check, State.WRONG, message, advice)
