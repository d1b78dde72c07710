"""The watchdog beside a cycle that finishes, and beside one that does not."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from reconciler.cycle.watchdog import Watchdog, WatchdogBounds, where


def wait_until(done: threading.Event) -> None:
    assert done.wait(10)


def test_it_vouches_from_the_start_and_while_cycles_finish(caplog: pytest.LogCaptureFixture) -> None:
    vouched: list[int] = []
    watchdog = Watchdog(WatchdogBounds(late=60, stuck=120), lambda: vouched.append(1))
    watchdog.start()
    watchdog.beat()
    watchdog.look()
    watchdog.close()
    assert len(vouched) >= 2
    assert not caplog.records


def test_a_stuck_cycle_is_told_with_its_place_and_vouched_for_no_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    let_go, vouched = threading.Event(), list[int]()
    made: list[Watchdog] = []
    hanging = threading.Event()

    def a_cycle_that_hangs() -> None:
        made.append(Watchdog(WatchdogBounds(late=0.01, stuck=0.02), lambda: vouched.append(1)))
        hanging.set()
        wait_until(let_go)

    thread = threading.Thread(target=a_cycle_that_hangs)
    thread.start()
    hanging.wait(10)
    time.sleep(0.03)
    assert made[0].look() > 0.02
    let_go.set()
    thread.join()
    assert vouched == []
    (record,) = caplog.records
    line = record.getMessage()
    assert (record.levelno, "\n" in line) == (logging.ERROR, False)
    assert (
        "the bid engine is stuck: no cycle has finished for 0 s; the watchdog no longer notifies the "
        "service manager" in line
    )
    assert "a_cycle_that_hangs > cycle/test_watchdog.py:" in line
    assert "wait_until" in line


def test_it_is_told_again_only_when_twice_as_old_and_its_end_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    watchdog = Watchdog(WatchdogBounds(late=0.05, stuck=60), lambda: None)
    time.sleep(0.06)
    watchdog.look()
    watchdog.look()
    assert len(caplog.records) == 1
    watchdog.beat()
    watchdog.look()
    watchdog.look()
    assert [r.getMessage() for r in caplog.records[1:]] == [
        "the bid engine resumes: a cycle has finished again"
    ]


def test_a_thread_that_is_gone() -> None:
    assert where(0) == "no call: its thread has ended"
