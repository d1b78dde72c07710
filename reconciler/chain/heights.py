"""Heights: which ones are plausible, and a thread that wakes the loop when the chain's height changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.chain.node_errors import NodeError
from reconciler.chain.rpc import NodeStatus, Rpc
from reconciler.values.memory import Memory

log = logging.getLogger(__name__)

MIN_BLOCK_SECONDS = 0.05
"""Lower bound: CometBFT's default is 5 s, the fastest recorded chain made 3 blocks per
second.
"""

SLACK_BLOCKS = 100
"""Tolerance above the bound: two clocks never agree to the second."""

NEAR_BLOCKS = 2
"""Tolerated lag behind the last height, as of a node behind a load balancer."""

CONTRADICTION_SECONDS = 60
"""Time after which a node with a later block at a lower height is accepted."""

ANOTHER = "wait until it is synced, or name another node in the host file"
FORGET = "run `provider-daemon forget-height` on this host"


@dataclass(frozen=True, slots=True)
class SeenHeight:
    """An accepted height, its block's time, and when this host saw it; times in unix seconds."""

    height: int
    time: float
    at: float

    def highest_plausible(self, now: float) -> float:
        """The highest plausible height at `now`."""
        return self.height + SLACK_BLOCKS + max(now - self.at, 0) / MIN_BLOCK_SECONDS


def seen_height(memory: Memory) -> SeenHeight | None:
    """The height in memory of an earlier process, as if seen at its block's time."""
    if not memory.height:
        return None
    return SeenHeight(memory.height, memory.height_time, memory.height_time)


class HeightBounds:
    """Bounds on a node's next height from those accepted so far.

    A height dropped as false is still an upper bound: a node that reports a low height for a while must not
    rule out the true one.
    """

    def __init__(self, last_height: SeenHeight | None = None) -> None:
        self._seen = self._highest = last_height
        self._is_confirmed = False
        self._contradicted_since: float | None = None

    @property
    def floor(self) -> int:
        """Lowest height of the next view; 0 if none is known."""
        return self._seen.height if self._seen else 0

    def check(self, status: NodeStatus, now: float) -> str | None:
        """Why this status is implausible, None if it is not; drops a floor that the status disproves."""
        if (why := _impossible(status, now)) is not None:
            return why
        seen = self._seen
        if seen is None:
            return None
        sightings = [each for each in (seen, self._highest) if each is not None]
        if status.height > max(each.highest_plausible(now) for each in sightings):
            return (
                f"is at height {status.height}, {status.height - seen.height} blocks above height "
                f"{seen.height} of {max(now - seen.at, 0):.0f} s ago: no chain is that fast; compare with "
                f"another node, and if this height is right, {FORGET}"
            )
        if status.height >= seen.height - NEAR_BLOCKS:
            self._contradicted_since = None
            return None
        if status.time < seen.time + 1:  # views have whole seconds
            return self.behind(status)
        return self._contradiction(status, seen, now)

    def behind(self, status: NodeStatus) -> str:
        """The message for a node behind the floor."""
        return f"is at height {status.height}, behind height {self.floor} seen before; {ANOTHER}"

    def accept(self, height: int, time: float, now: float) -> None:
        """Record the height of a complete view."""
        if self._seen is None or height >= self._seen.height:
            self._seen = SeenHeight(height, time, now)
        self._is_confirmed = True

    def _contradiction(self, status: NodeStatus, seen: SeenHeight, now: float) -> str | None:
        """A later block cannot have a lower height: one of the two was never on the chain.

        The height of an earlier process is dropped at once, one of this process after CONTRADICTION_SECONDS.
        """
        since = self._contradicted_since = self._contradicted_since or now
        if self._is_confirmed and now - since < CONTRADICTION_SECONDS:
            return (
                f"is at height {status.height} with a later block than height {seen.height} seen before had: "
                f"one of the two is false; compare with another node, and if the lower one is right, {FORGET}"
            )
        log.warning("height %d was never on this chain: a later block has %d", seen.height, status.height)
        self._highest = max(seen, self._highest or seen, key=lambda each: each.height)
        self._seen = self._contradicted_since = None
        return None


def _impossible(status: NodeStatus, now: float) -> str | None:
    """Why no chain can have this status, whatever was seen before."""
    most = now / MIN_BLOCK_SECONDS
    blocks = status.height - status.earliest_height
    seconds = max(status.time - status.earliest_time, 0)
    if status.height <= most and blocks <= seconds / MIN_BLOCK_SECONDS + SLACK_BLOCKS:
        return None
    return (
        f"is at height {status.height}, more blocks than a chain can have; name another node in the host file"
    )


class HeightWatch:
    """A thread that polls a node's status every `seconds`, about a fifth of the block time, and calls `wake`
    when the height changes.
    """

    def __init__(self, rpc: Rpc, wake: Callable[[], None], seconds: float) -> None:
        self._rpc = rpc
        self._wake = wake
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="heights", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _watch(self) -> None:
        seen = 0
        while not self._stop.wait(self._seconds):
            try:
                height = self._rpc.status().height
            except NodeError:
                continue
            except Exception:  # an unexpected response must not end the thread
                log.exception("cannot read the height; retrying")
                continue
            if height != seen:  # also when it falls: after a false height the true one must wake
                seen = height
                self._wake()
