"""A thread that watches the chain's height and wakes the loop when it changes; it carries no data."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from reconciler.chain.node_errors import NodeError
from reconciler.chain.rpc import Rpc

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
