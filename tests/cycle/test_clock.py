"""The host's clock."""

from __future__ import annotations

import subprocess
import sys
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


UNDER_SIGNALS = """
import signal
from reconciler.cycle.clock import HostClock
clock = HostClock()
signal.signal(signal.SIGALRM, lambda *_: clock.wake())
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0005)
for _ in range(20_000):
    clock.wait(0.0001)
signal.setitimer(signal.ITIMER_REAL, 0)
print("ended")
"""
"""Signals come at every point of a wait; a lock that the handler needs would be held at some of them."""


def test_signals_at_any_point_wake_it_and_never_stop_it_for_good() -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNDER_SIGNALS], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr[-500:]
