"""Funding: how long the escrow still pays for a lease."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Funding(StrEnum):
    """The state of a lease's escrow, by the thresholds of `config.yaml`."""

    HEALTHY = "healthy"
    LOW = "low"
    CRITICAL = "critical"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """How long a deployment's funds last: in blocks and in seconds of measured chain time, negative once they
    ran out; None if no payment is open (semantics 4.6). `accrued_uve` is earned by the lease and not
    withdrawn.
    """

    state: Funding
    blocks_left: int | None = None
    seconds_left: int | None = None
    accrued_uve: int = 0


HEALTHY = TimeLeft(Funding.HEALTHY)
"""Sufficient funds, or no open payment."""
