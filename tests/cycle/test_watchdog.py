"""The watchdog beside a cycle that finishes, and beside one that does not."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from reconciler.cycle.watchdog import Watchdog, WatchdogBounds, current_calls


def wait_until(done: threading.Event) -> None:
    assert done.wait(10)


def test_notifies_systemd_while_cycles_finish(caplog: pytest.LogCaptureFixture) -> None:
    notified: list[int] = []
    watchdog = Watchdog(WatchdogBounds(late_seconds=60, stuck_seconds=120), lambda: notified.append(1))
    watchdog.start()
    watchdog.beat()
    watchdog.check()
    watchdog.close()
    assert len(notified) >= 2
    assert not caplog.records


def test_stuck_cycle_is_logged_and_ends_notifications(
    caplog: pytest.LogCaptureFixture,
) -> None:
    let_go, notified = threading.Event(), list[int]()
    made: list[Watchdog] = []
    hanging = threading.Event()

    def a_cycle_that_hangs() -> None:
        made.append(
            Watchdog(WatchdogBounds(late_seconds=0.01, stuck_seconds=0.02), lambda: notified.append(1))
        )
        hanging.set()
        wait_until(let_go)

    thread = threading.Thread(target=a_cycle_that_hangs)
    thread.start()
    hanging.wait(10)
    time.sleep(0.03)
    assert made[0].check() > 0.02
    let_go.set()
    thread.join()
    assert notified == []
    (record,) = caplog.records
    line = record.getMessage()
    assert (record.levelno, "\n" in line) == (logging.ERROR, False)
    assert (
        "the bid engine is stuck: no cycle has finished for 0 s; the service manager is no "
        "longer notified and may restart the daemon" in line
    )
    assert "a_cycle_that_hangs > cycle/test_watchdog.py:" in line
    assert "wait_until" in line


def test_a_stuck_loop_is_logged_again_at_twice_the_age_and_at_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    watchdog = Watchdog(WatchdogBounds(late_seconds=0.05, stuck_seconds=60), lambda: None)
    time.sleep(0.06)
    watchdog.check()
    watchdog.check()
    assert len(caplog.records) == 1
    watchdog.beat()
    watchdog.check()
    watchdog.check()
    assert [r.getMessage() for r in caplog.records[1:]] == [
        "the bid engine resumes: a cycle has finished again"
    ]


def test_a_thread_that_is_gone() -> None:
    assert current_calls(0) == "no call: its thread has ended"
