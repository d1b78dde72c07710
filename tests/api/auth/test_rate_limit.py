"""Buckets fill with time, peer by peer, and remember few peers."""

from __future__ import annotations

import pytest

from reconciler.api.auth.rate_limit import PEERS_MAX, Rate, RateLimiter


def test_so_many_at_once_then_so_many_a_second() -> None:
    meter = RateLimiter(Rate(2, 3))
    assert [meter.take("a", 10.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert meter.take("b", 10.0) == 0, "another peer has a bucket of its own"
    assert meter.take("a", 10.5) == 0
    assert meter.take("a", 10.5) == pytest.approx(0.5)
    assert [meter.take("a", 1_000.0) for _ in range(4)] == [0, 0, 0, 0.5], "it is never more than full"


def test_a_peer_that_waits_as_told_is_let_in() -> None:
    meter = RateLimiter(Rate(0.1, 1))
    meter.take("a", 0.0)
    wait = meter.take("a", 1.0)
    assert wait == pytest.approx(9)
    assert meter.take("a", 1.0 + wait) == 0


def test_few_peers_are_remembered() -> None:
    meter = RateLimiter(Rate(1, 1))
    for n in range(PEERS_MAX + 100):
        meter.take(str(n), 0.0)
    assert len(meter._left) == PEERS_MAX
    assert meter.take(str(PEERS_MAX + 99), 0.0) > 0
