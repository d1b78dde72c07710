"""Back-off delays after failures of a remote. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class RemoteFailure(StrEnum):
    """The kinds of failure that differ in when to retry."""

    AUTHENTICATION = "authentication"
    RATE_LIMITED = "rate limited"
    UNREACHABLE = "unreachable"
    OTHER = "other"


WAITS_SECONDS: Mapping[RemoteFailure, tuple[float, ...]] = {
    RemoteFailure.AUTHENTICATION: (60, 300, 900, 3_600),
    RemoteFailure.RATE_LIMITED: (300, 900, 3_600),
    RemoteFailure.UNREACHABLE: (5, 15, 30, 60),
    RemoteFailure.OTHER: (5, 15, 60, 300),
}
"""The delay after the first consecutive failure, the second, and so on. Forges ban an address for an hour
after 10 to 30 failed logins within minutes; these delays make at most five in the first hour.
"""


def wait_seconds(failure: RemoteFailure, failures: int, requested: float = 0) -> float:
    """The wait after so many failures in a row, at least what a Retry-After requests."""
    if failure is RemoteFailure.RATE_LIMITED and requested:
        failure = RemoteFailure.OTHER
    waits = WAITS_SECONDS[failure]
    return max(waits[min(max(failures, 1), len(waits)) - 1], requested)
