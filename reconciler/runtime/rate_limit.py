"""Token buckets: how often one client may send requests. Pure; the caller gives the time."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

CLIENTS_MAX = 4_096
"""Clients remembered; the least recently seen is forgotten first, and starts with a full bucket."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Sustained requests per second, and the burst."""

    per_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class Rates:
    """Of reads, expensive reads (logs, events, journal), writes, and failed authentications."""

    read: Rate = Rate(500, 1_000)
    expensive: Rate = Rate(5, 40)
    write: Rate = Rate(1, 20)
    failure: Rate = Rate(0.5, 20)


class RateLimiter:
    """One rate, client by client."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now: float) -> float:
        """Count one request; 0 if it is allowed, else the seconds until the next one is."""
        before, at = self._left.get(client, (self._rate.burst, now))
        left = min(before + (now - at) * self._rate.per_second, self._rate.burst)
        is_allowed = left >= 1
        self._left[client] = (left - 1 if is_allowed else left, now)
        self._left.move_to_end(client)
        if len(self._left) > CLIENTS_MAX:
            self._left.popitem(last=False)
        return 0 if is_allowed else (1 - left) / self._rate.per_second
