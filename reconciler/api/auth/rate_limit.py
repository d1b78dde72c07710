"""How often one peer may ask: buckets that fill with time. Pure but for the time that is given."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

PEERS_MAX = 4_096
"""Peers that are remembered; the one asked longest ago is forgotten first, with a full bucket."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second for long, and so many at once."""

    a_second: float
    at_once: float


@dataclass(frozen=True, slots=True)
class Rates:
    """For reading; for logs, events and metrics; for asking the loop; for failing to say who one is."""

    read: Rate = Rate(500, 1_000)
    dear: Rate = Rate(5, 40)
    ask: Rate = Rate(1, 20)
    failure: Rate = Rate(0.5, 20)


class RateLimiter:
    """One rate, peer by peer."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, peer: str, now: float) -> float:
        """Count one; 0 where it is allowed, else in how many seconds the next one is."""
        before, at = self._left.get(peer, (self._rate.at_once, now))
        left = min(before + (now - at) * self._rate.a_second, self._rate.at_once)
        if left < 1:
            return (1 - left) / self._rate.a_second
        self._note(peer, left - 1, now)
        return 0

    def _note(self, peer: str, left: float, now: float) -> None:
        self._left[peer] = (left, now)
        self._left.move_to_end(peer)
        if len(self._left) > PEERS_MAX:
            self._left.popitem(last=False)
