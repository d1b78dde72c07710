"""Faults of the simulated API server, for tests."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class ClusterFault:
    """Requests that match are refused with a status, never answered (`hang`), cut off half way (`cut`) or, if
    they are watches, answered with nothing but empty lines (`mute`).

    Empty `verbs` or `plurals` match all; `continued` matches only later pages of a list; `times` counts down.
    """

    does: str = "refuse"
    status: int = 500
    verbs: frozenset[str] = frozenset()
    plurals: frozenset[str] = frozenset()
    continued: bool = False
    times: int | None = None

    def matches(self, verb: str, plural: str, continued: bool) -> bool:
        """Whether it affects this request."""
        hit = (not self.verbs or verb in self.verbs) and (not self.plurals or plural in self.plurals)
        return hit and (continued or not self.continued)


class ClusterFaults:
    """The faults in force; any thread may change them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: list[ClusterFault] = []

    def add(self, fault: ClusterFault) -> None:
        """Add a fault after the existing ones."""
        with self._lock:
            self._active.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._active.clear()

    def strike(self, verb: str, plural: str, continued: bool) -> ClusterFault | None:
        """The first matching fault, whose count is decreased, or None."""
        with self._lock:
            for at, fault in enumerate(self._active):
                if fault.matches(verb, plural, continued):
                    if fault.times is not None:
                        left = replace(fault, times=fault.times - 1)
                        self._active[at : at + 1] = [left] if left.times else []
                    return fault
        return None
