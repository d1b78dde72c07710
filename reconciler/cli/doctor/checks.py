"""What `doctor` finds: one line a check, with what to do where something is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """Fine; worth a look; or wrong, so that the daemon cannot do its work."""

    OK = "ok"
    WARN = "warn"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check: what it looked at, how that is, what it saw, and what to do."""

    check: str
    state: CheckState
    message: str
    advice: str = ""


def ok(check: str, message: str) -> CheckResult:
    """Nothing to do."""
    return CheckResult(check, CheckState.OK, message)


def warn(check: str, message: str, advice: str = "") -> CheckResult:
    """It works, and may not for long."""
    return CheckResult(check, CheckState.WARN, message, advice)


def wrong(check: str, message: str, advice: str = "") -> CheckResult:
    """It does not work; a sentence that ends in "; do this" brings its own advice."""
    if not advice:
        message, _, advice = message.partition("; ")
    return CheckResult(check, CheckState.WRONG, message, advice)
