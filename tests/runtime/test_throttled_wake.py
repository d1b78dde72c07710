"""Wakes for bursts of events."""

from __future__ import annotations

import time

from reconciler.runtime.throttled_wake import ThrottledWake
from tests.waiting import wait_until


def test_the_first_event_wakes_at_once_and_a_burst_once_more() -> None:
    woken: list[float] = []
    wake = ThrottledWake(lambda: woken.append(time.monotonic()), interval_seconds=0.2)
    began = time.monotonic()
    for _ in range(100):
        wake()
    assert len(woken) == 1
    assert woken[0] - began < 0.15
    wait_until(lambda: len(woken) == 2, "the wake for the rest of the burst")
    assert woken[1] - woken[0] > 0.15
    time.sleep(0.3)
    assert len(woken) == 2
    wake()
    assert len(woken) == 3
