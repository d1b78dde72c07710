"""One back-off for everything that contacts a remote: look, fetch, status and snapshot pushes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reconciler.git.git_errors import NOT_LET_IN, OUT_OF_REACH
from reconciler.git.git_process import TIMED_OUT, Ran
from reconciler.values.backoff import RemoteFailure, wait_seconds
from reconciler.values.times import utc_text

_RATE_LIMITED = re.compile(r"The requested URL returned error: 429|Too many requests", re.IGNORECASE)
_NOT_LET_IN = re.compile(f"{NOT_LET_IN}|Host key verification failed|Too many authentication failures")
_OUT_OF_REACH = re.compile(OUT_OF_REACH)


@dataclass(slots=True)
class Backoff:
    """How long a remote host is left alone, in memory: a restart tries at once. Belongs to the cycle's
    thread.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    _failures: int = 0
    _until: float = 0
    _sentence: str = ""

    def rest(self) -> str:
        """Why nothing is sent now, and until when; "" where something may be. The same words until then."""
        return self._sentence if self.monotonic() < self._until else ""

    def failed(self, failure: RemoteFailure, why: str, requested_seconds: float = 0) -> None:
        """Leave the remote alone for a while; longer after each failure in a row."""
        self._failures += 1
        wait = wait_seconds(failure, self._failures, requested_seconds)
        self._until = self.monotonic() + wait
        times = "once" if self._failures == 1 else f"{self._failures} times in a row"
        self._sentence = f"{why}; failed {times}, next try at {utc_text(self.wall() + wait)}"

    def succeeded(self) -> None:
        """It answers: no failure counts any more."""
        self._failures, self._until = 0, 0


def failure_of(ran: Ran) -> RemoteFailure:
    """What kind of failure git reports; it prints the HTTP status, never the headers."""
    if _RATE_LIMITED.search(ran.errors):
        return RemoteFailure.RATE_LIMITED
    if _NOT_LET_IN.search(ran.errors):
        return RemoteFailure.AUTHENTICATION
    if ran.code == TIMED_OUT or _OUT_OF_REACH.search(ran.errors):
        return RemoteFailure.UNREACHABLE
    return RemoteFailure.OTHER


def changed_at(credentials: Path | None) -> int:
    """A mark of the version of a credentials file: a new one ends a back-off."""
    try:
        return credentials.stat().st_mtime_ns if credentials else 0
    except OSError:
        return -1
