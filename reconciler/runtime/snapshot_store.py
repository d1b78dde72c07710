"""The latest snapshot, which the cycle writes and the servers read."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.runtime.metrics_history import MetricsHistory
from reconciler.values.snapshot import Snapshot


class SnapshotStore:
    """Replaces the snapshot as a whole; any thread may read it."""

    def __init__(self, first: Snapshot | None = None) -> None:
        self._snapshot = first or Snapshot()
        self.history = MetricsHistory()
        self._callbacks: tuple[Callable[[], None], ...] = ()

    def publish(self, snapshot: Snapshot) -> None:
        """Replace the snapshot after a cycle."""
        self.history.record(snapshot)
        self._snapshot = snapshot
        for callback in self._callbacks:
            callback()

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call back after each new snapshot, on the publishing thread; it must return at once."""
        self._callbacks = (*self._callbacks, callback)

    @property
    def snapshot(self) -> Snapshot:
        """The latest snapshot."""
        return self._snapshot
