"""The back-off shared by everything that contacts a remote: ls-remote, fetch and every push."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reconciler.git.git_errors import AUTHENTICATION_FAILED, UNREACHABLE
from reconciler.git.git_process import TIMED_OUT, GitResult
from reconciler.values.backoff import RemoteFailure, wait_seconds
from reconciler.values.times import utc_text

_RATE_LIMITED = re.compile(r"The requested URL returned error: 429|Too many requests", re.IGNORECASE)
_AUTHENTICATION_FAILED = re.compile(
    f"{AUTHENTICATION_FAILED}|Host key verification failed|Too many authentication failures"
)
_UNREACHABLE = re.compile(UNREACHABLE)


@dataclass(slots=True)
class Backoff:
    """When a remote host may be contacted again, in memory: a restart tries at once. Git and the forge use it
    from their threads; a failure that another thread counts at the same moment may be missed.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    _failures: int = 0
    _until: float = 0
    _sentence: str = ""

    def wait_reason(self) -> str:
        """Why nothing is sent now, and until when; "" if requests may be sent."""
        return self._sentence if self.monotonic() < self._until else ""

    def failed(self, failure: RemoteFailure, why: str, requested_seconds: float = 0) -> None:
        """Send nothing for a while; longer after each failure in a row."""
        self._failures += 1
        wait = wait_seconds(failure, self._failures, requested_seconds)
        self._until = self.monotonic() + wait
        times = "once" if self._failures == 1 else f"{self._failures} times in a row"
        self._sentence = f"{why}; failed {times}, next try at {utc_text(self.wall() + wait)}"

    def succeeded(self) -> None:
        """Reset the number of failures."""
        self._failures, self._until = 0, 0


def failure_of(ran: GitResult) -> RemoteFailure:
    """The kind of failure that git reports; it prints the HTTP status, never the headers."""
    if _RATE_LIMITED.search(ran.errors):
        return RemoteFailure.RATE_LIMITED
    if _AUTHENTICATION_FAILED.search(ran.errors):
        return RemoteFailure.AUTHENTICATION
    if ran.code == TIMED_OUT or _UNREACHABLE.search(ran.errors):
        return RemoteFailure.UNREACHABLE
    return RemoteFailure.OTHER


def credentials_version(credentials: Path | None) -> int:
    """The version of a credentials file: a new one ends a back-off."""
    try:
        return credentials.stat().st_mtime_ns if credentials else 0
    except OSError:
        return -1
