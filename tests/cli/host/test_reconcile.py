"""The loop is woken; whoever waits is told of the cycle that followed."""

from __future__ import annotations

import threading
from dataclasses import replace

from tests.cli.conftest import SHOWN, Terminal


def test_the_loop_is_woken(terminal: Terminal) -> None:
    assert terminal.run("reconcile")[:2] == (
        0,
        "requested; the daemon fetches the repository and runs a cycle now\n",
    )
    assert terminal.wake.count == 1


def test_wait_reports_the_end_of_the_cycle(terminal: Terminal) -> None:
    assert SHOWN.cycle is not None
    next_one = replace(SHOWN, cycle=replace(SHOWN.cycle, duration_seconds=0.5))
    later = threading.Timer(0.5, terminal.snapshots.publish, [next_one])
    later.start()
    code, out, _ = terminal.run("reconcile", "--wait", "20")
    later.join()
    assert (code, out) == (0, "a cycle ended at 2027-01-15T07:59:59Z, acted\n")


def test_a_cycle_that_never_ends_is_an_error(terminal: Terminal) -> None:
    code, _, err = terminal.run("reconcile", "--wait", "0.2")
    assert code == 1
    assert err.startswith("error: no cycle has ended within 0.2 seconds")
