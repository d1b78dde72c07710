"""The wait of tests that use real processes, threads and sockets."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from reconciler.devnet.probe import PROBE_ERRORS

Found = TypeVar("Found")

WAIT_SECONDS = 120
"""Enough for a daemon to start on a very busy machine; a wait ends as soon as its condition holds."""
POLL_SECONDS = 0.1


def wait_until(
    condition: Callable[[], Found],
    what: str,
    *,
    is_running: Callable[[], bool] = lambda: True,
    log: Callable[[], str] = lambda: "",
) -> Found:
    """The first true result of `condition`; an OSError or an error of a probe counts as false.

    The failure names `what` is missing, the last error, and `log()`: the output of the process that should
    bring it about. It is immediate once that process no longer runs.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        error: Exception | None = None
        was_running = is_running()
        try:
            if found := condition():
                return found
        except (OSError, *PROBE_ERRORS) as raised:
            error = raised
        details = "".join(f"\n{each}" for each in (error, log()) if each)
        assert was_running, f"the process ended before this: {what}{details}"
        assert time.monotonic() < deadline, f"not within {WAIT_SECONDS} s: {what}{details}"
        time.sleep(POLL_SECONDS)
