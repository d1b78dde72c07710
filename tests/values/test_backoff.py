"""Waits after failures."""

from __future__ import annotations

from itertools import accumulate

import pytest

from reconciler.values.backoff import WAITS_SECONDS, RemoteFailure, wait_seconds


@pytest.mark.parametrize("failure", RemoteFailure)
def test_waits_grow_and_stay_at_the_longest(failure: RemoteFailure) -> None:
    waits = [wait_seconds(failure, times) for times in range(1, 20)]
    assert waits == sorted(waits)
    assert waits[-1] == WAITS_SECONDS[failure][-1]


def test_five_failed_logins_at_most_in_the_first_hour() -> None:
    moments = accumulate(wait_seconds(RemoteFailure.AUTHENTICATION, times) for times in range(1, 20))
    assert sum(at < 3_600 for at in [0, *moments]) <= 5


@pytest.mark.parametrize(("requested", "wait"), [(0, 300), (30, 30), (1_000, 1_000), (1, 5)])
def test_a_retry_after_counts_more_than_our_guess(requested: float, wait: float) -> None:
    assert wait_seconds(RemoteFailure.RATE_LIMITED, 1, requested) == wait
