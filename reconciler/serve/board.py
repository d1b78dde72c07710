"""The one thing that the cycle and the servers share: the last snapshot."""

from __future__ import annotations

from reconciler.values.snapshot import Snapshot


class Board:
    """Shows the last snapshot to any thread; it is swapped whole, so that nobody sees half of one."""

    def __init__(self, first: Snapshot | None = None) -> None:
        self._snapshot = first or Snapshot()

    def show(self, snapshot: Snapshot) -> None:
        """Put up the snapshot of a finished cycle."""
        self._snapshot = snapshot

    @property
    def snapshot(self) -> Snapshot:
        """The last one that was put up."""
        return self._snapshot
