"""The one thing that the cycle and the servers share: the last snapshot."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.runtime.metrics_history import MetricsHistory
from reconciler.values.snapshot import Snapshot


class SnapshotStore:
    """Shows the last snapshot to any thread; it is swapped whole, so that nobody sees half of one."""

    def __init__(self, first: Snapshot | None = None) -> None:
        self._snapshot = first or Snapshot()
        self.course = MetricsHistory()
        self._told: tuple[Callable[[], None], ...] = ()

    def show(self, snapshot: Snapshot) -> None:
        """Put up the snapshot of a finished cycle."""
        self.course.note(snapshot)
        self._snapshot = snapshot
        for tell in self._told:
            tell()

    def tell(self, listener: Callable[[], None]) -> None:
        """Call this after each new snapshot, on the thread that put it up; it must return at once."""
        self._told = (*self._told, listener)

    @property
    def snapshot(self) -> Snapshot:
        """The last one that was put up."""
        return self._snapshot
