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
"""No chain makes blocks faster: CometBFT's own default is 5 s, the fastest recorded one made 3 a second."""

SLACK_BLOCKS = 100
"""Blocks beyond the bound that are taken as well: two clocks never agree to the second."""

NEAR_BLOCKS = 2
"""A node behind a load balancer may be so far behind the height seen last; that view holds meanwhile."""

CONTRADICTION_SECONDS = 60
"""A node whose block is later than the one seen last, and its height lower, is taken after so long."""

ANOTHER = "wait until it has caught up, or name another node in the host file"
FORGET = "`provider-daemon forget-height` on this host forgets the other"


@dataclass(frozen=True, slots=True)
class SeenHeight:
    """A height that was accepted, its block's time, and when this host saw it; times in unix seconds."""

    height: int
    time: float
    at: float

    def most(self, now: float) -> float:
        """The highest that the chain can be by now."""
        return self.height + SLACK_BLOCKS + max(now - self.at, 0) / MIN_BLOCK_SECONDS


def seen_height(memory: Memory) -> SeenHeight | None:
    """The height that an earlier run remembered; a block's time stands for when it was seen."""
    if not memory.height:
        return None
    return SeenHeight(memory.height, memory.height_time, memory.height_time)


class HeightBounds:
    """The heights accepted so far, and what they say about a node's next one.

    A height that was dropped as false still bounds the next ones from above: a node that says a low height
    for a while must not make the true one implausible.
    """

    def __init__(self, remembered: SeenHeight | None = None) -> None:
        self._seen = self._highest = remembered
        self._is_confirmed = False
        self._contradicted_since: float | None = None

    @property
    def floor(self) -> int:
        """No view is older; 0 where no height is known."""
        return self._seen.height if self._seen else 0

    def refusal(self, status: NodeStatus, now: float) -> str | None:
        """Why this status is not plausible; None where it is. Drops a floor that the status disproves."""
        if (why := _impossible(status, now)) is not None:
            return why
        seen = self._seen
        if seen is None:
            return None
        if status.height > max(each.most(now) for each in (seen, self._highest) if each is not None):
            return (
                f"is at height {status.height}, {status.height - seen.height} blocks above height "
                f"{seen.height} of {max(now - seen.at, 0):.0f} s ago: no chain is so fast; compare with "
                f"another node, and if the height is right, {FORGET}"
            )
        if status.height >= seen.height - NEAR_BLOCKS:
            self._contradicted_since = None
            return None
        if status.time < seen.time + 1:  # views keep whole seconds
            return self.behind(status)
        return self._contradiction(status, seen, now)

    def behind(self, status: NodeStatus) -> str:
        """That a node has not come as far as was seen before."""
        return f"is at height {status.height}, behind height {self.floor} seen before; {ANOTHER}"

    def accept(self, height: int, time: float, now: float) -> None:
        """A view was read at this height."""
        if self._seen is None or height >= self._seen.height:
            self._seen = SeenHeight(height, time, now)
        self._is_confirmed = True

    def _contradiction(self, status: NodeStatus, seen: SeenHeight, now: float) -> str | None:
        """A later block cannot have a lower height: one of the two was never on the chain.

        What an earlier run remembered is dropped at once; what this run has seen, after a minute in which no
        node shows anything else.
        """
        since = self._contradicted_since = self._contradicted_since or now
        if self._is_confirmed and now - since < CONTRADICTION_SECONDS:
            return (
                f"is at height {status.height} with a later block than height {seen.height} seen before had: "
                f"one of the two is false; compare with another node, and if the lower is right, {FORGET}"
            )
        log.warning("height %d was never on this chain: a later block has %d", seen.height, status.height)
        self._highest = max(seen, self._highest or seen, key=lambda each: each.height)
        self._seen = self._contradicted_since = None
        return None


def _impossible(status: NodeStatus, now: float) -> str | None:
    """What no chain can have, whatever was seen before."""
    most = now / MIN_BLOCK_SECONDS
    blocks = status.height - status.earliest_height
    seconds = max(status.time - status.earliest_time, 0)
    if status.height <= most and blocks <= seconds / MIN_BLOCK_SECONDS + SLACK_BLOCKS:
        return None
    return f"is at height {status.height}, more blocks than a chain can have made; name another node"


log = logging.getLogger(__name__)


class HeightWatch:
    """Polls a node's status every `seconds`, about a fifth of the block time; a node that is silent wakes
    nobody.
    """

    def __init__(self, rpc: Rpc, wake: Callable[[], None], seconds: float) -> None:
        self._rpc = rpc
        self._wake = wake
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="heights", daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
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
            except Exception:  # an answer that nobody expected must not end the watch
                log.exception("the height could not be read; it is read again")
                continue
            if height != seen:  # also when it falls: a false height must not end the waking
                seen = height
                self._wake()
