"""The host's clock."""

from __future__ import annotations

import threading
import time

from reconciler.cycle.clock import HostClock

LONG_SECONDS = 60.0


def test_it_tells_the_time() -> None:
    assert abs(HostClock().now() - time.time()) < 2


def test_a_wait_is_ended_by_any_thread() -> None:
    clock = HostClock()
    began = time.monotonic()
    threading.Timer(0.01, clock.wake).start()

    clock.wait(LONG_SECONDS)

    assert time.monotonic() - began < LONG_SECONDS / 2


def test_a_wake_between_two_waits_is_not_lost_and_ends_one_alone() -> None:
    clock = HostClock()
    clock.wake()
    clock.wake()
    began = time.monotonic()

    clock.wait(LONG_SECONDS)
    clock.wait(0.05)

    assert 0.04 < time.monotonic() - began < LONG_SECONDS / 2
