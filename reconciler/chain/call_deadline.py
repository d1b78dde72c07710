"""The time that one step of a cycle may spend on calls to nodes, however many calls it makes."""

from __future__ import annotations

from time import monotonic

from reconciler.chain.node_errors import NodeError


class CallDeadline:
    """Shared by the clients of the cycle's thread, which starts it before each step; without a start, calls
    have their own timeouts only.
    """

    def __init__(self) -> None:
        self._at: float | None = None

    def start(self, seconds: float) -> None:
        """All calls from now on must have ended within so many seconds."""
        self._at = monotonic() + seconds

    def bound(self, timeout_seconds: float) -> float:
        """The timeout of the next call; NodeError if no time is left."""
        left = timeout_seconds if self._at is None else self._at - monotonic()
        if left <= 0:
            raise NodeError("the node answers too slowly: the time of this cycle for its calls is used up")
        return min(timeout_seconds, left)

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return self._at is not None and monotonic() >= self._at
