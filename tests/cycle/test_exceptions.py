"""Unexpected exceptions: one bounded line each, and threads that one has ended."""

from __future__ import annotations

import threading

import pytest

from reconciler.cycle.exceptions import FRAMES_MAX, FailedThreads, format_origin, sentence_of
from reconciler.reports.readiness import unready
from reconciler.values.snapshot import Snapshot
from tests.api.snapshots import cycle_at


def deep(depth: int) -> None:
    if depth:
        return deeper(depth - 1)
    raise RecursionError("x" * 100_000 + "\x1b[2J\n")


def deeper(depth: int) -> None:
    return deep(depth)


def test_a_line_is_bounded_and_printable_however_deep_it_was_raised() -> None:
    with pytest.raises(RecursionError) as found:
        deep(300)
    sentence, where = sentence_of(found.value), format_origin(found.value)
    assert sentence.startswith("RecursionError: xxx")
    assert sentence.isprintable()
    assert len(sentence) < 600
    assert where.count(" > ") == FRAMES_MAX - 1
    assert where.endswith(" deep")


def test_an_error_of_the_system_is_a_sentence_already() -> None:
    assert (sentence_of(OSError("the disk is full")), format_origin(OSError("x"))) == ("the disk is full", "")
    assert sentence_of(MemoryError()) == "MemoryError"


def run(failed: FailedThreads, error: BaseException, name: str | None) -> None:
    def work() -> None:
        raise error

    before, threading.excepthook = threading.excepthook, failed.note
    try:
        thread = threading.Thread(target=work, name=name)
        thread.start()
        thread.join()
    finally:
        threading.excepthook = before


@pytest.mark.parametrize("error", [RuntimeError("odd"), MemoryError(), RecursionError("deep")], ids=repr)
def test_a_named_thread_that_ends_makes_the_daemon_not_ready(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    failed = FailedThreads()
    run(failed, error, "heights")
    run(failed, ValueError("later"), "heights")
    assert failed.found == (f"heights: {sentence_of(error)}",)
    cycle = cycle_at(0)
    why = unready(Snapshot(cycle=cycle, failed_threads=failed.found), 2, 60)
    assert why == f"restart the daemon, a thread was ended by an exception: {failed.found[0]}"
    assert "the thread heights was ended by" in caplog.text
    assert "test_exceptions.py" in caplog.text


def test_a_single_call_or_a_request_to_stop_does_not() -> None:
    failed = FailedThreads()
    run(failed, RuntimeError("odd"), None)
    run(failed, SystemExit(), "heights")
    failed.note(threading.ExceptHookArgs((ValueError, None, None, None)))
    assert failed.found == ()
