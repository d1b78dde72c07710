"""How long a lease is still paid for."""

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
    """What a deployment's funds still pay: blocks and measured chain time in seconds, negative once they ran
    out; None while nothing drains them (semantics 4.6). `accrued_uve` is earned by the lease and not
    withdrawn.
    """

    state: Funding
    blocks_left: int | None = None
    seconds_left: int | None = None
    accrued_uve: int = 0


HEALTHY = TimeLeft(Funding.HEALTHY)
"""Nothing drains it, or for long."""
