"""Since when tenants can deliver manifests, in heights of the chain: no clock of the host is used."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from reconciler.values.observed import Market

GAP_SECONDS = 120
"""Of chain time between two views of the chain: after a longer one, the chain counts as unseen meanwhile."""

OWNERS_MAX = 10_000


class DeliveryWindow:
    """Begins with the first view of the chain after a start or after a time without one, and for an owner
    again with each failure that it was answered with. `note_failure` is callable from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: set[str] = set()
        self._seen_at: int | None = None
        self.since = 0
        self.failed_at: Mapping[str, int] = {}

    def note_failure(self, owner: str) -> None:
        """A submission of this owner was answered with a failure of this provider."""
        with self._lock:
            self._new.add(owner)

    def note_view(self, market: Market | None) -> None:
        """The chain as it was just seen; None: it was not."""
        if market is None:
            self._seen_at = None
            return
        with self._lock:
            new, self._new = self._new, set()
        was_away = self._seen_at is None or market.time - self._seen_at > GAP_SECONDS
        self._seen_at = market.time
        if was_away or len(self.failed_at) + len(new) > OWNERS_MAX:
            self.since, self.failed_at = market.height, {}
        elif new:
            self.failed_at = {**self.failed_at, **dict.fromkeys(new, market.height)}
