"""Results of `doctor`: one line for each check, with advice if it fails."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """Passed; a warning; or an error that keeps the daemon from working."""

    OK = "ok"
    WARN = "warn"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check: its subject, its state, what it found, and what to do."""

    check: str
    state: CheckState
    message: str
    advice: str = ""


def ok(check: str, message: str) -> CheckResult:
    """A passed check."""
    return CheckResult(check, CheckState.OK, message)


def warn(check: str, message: str, advice: str = "") -> CheckResult:
    """A warning."""
    return CheckResult(check, CheckState.WARN, message, advice)


def wrong(check: str, message: str, advice: str = "") -> CheckResult:
    """An error; a sentence that ends in "; do this" contains its advice."""
    if not advice:
        message, _, advice = message.partition("; ")
    return CheckResult(check, CheckState.WRONG, message, advice)
