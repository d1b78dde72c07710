"""Token buckets per client, and the limit of remembered clients."""

from __future__ import annotations

import pytest

from reconciler.runtime.rate_limit import CLIENTS_MAX, Rate, RateLimiter


def test_a_burst_then_the_sustained_rate() -> None:
    limiter = RateLimiter(Rate(2, 3))
    assert [limiter.take("a", 10.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert limiter.take("b", 10.0) == 0, "another client has its own bucket"
    assert limiter.take("a", 10.5) == 0
    assert limiter.take("a", 10.5) == pytest.approx(0.5)
    assert [limiter.take("a", 1_000.0) for _ in range(4)] == [0, 0, 0, 0.5], "it is never more than full"


def test_a_client_is_allowed_after_the_returned_wait() -> None:
    limiter = RateLimiter(Rate(0.1, 1))
    limiter.take("a", 0.0)
    wait = limiter.take("a", 1.0)
    assert wait == pytest.approx(9)
    assert limiter.take("a", 1.0 + wait) == 0


def test_the_number_of_remembered_clients_is_limited() -> None:
    limiter = RateLimiter(Rate(1, 1))
    for n in range(CLIENTS_MAX + 100):
        limiter.take(str(n), 0.0)
    assert len(limiter._left) == CLIENTS_MAX
    assert limiter.take(str(CLIENTS_MAX + 99), 0.0) > 0


def test_a_refused_client_is_not_the_first_forgotten() -> None:
    limiter = RateLimiter(Rate(0.001, 1))
    limiter.take("worst", 0.0)
    for n in range(CLIENTS_MAX + 10):
        assert limiter.take("worst", 0.0) > 0
        limiter.take(str(n), 0.0)
