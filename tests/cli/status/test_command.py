"""The `status` command, once and with --watch."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from dataclasses import replace

from reconciler.cli.status.command import screenful
from reconciler.cli.status.page import ROWS_MAX
from reconciler.values.funding import Funding, TimeLeft
from reconciler.values.ids import WorkloadId
from reconciler.values.times import Timestamp
from reconciler.values.views import QueueView
from tests.api.snapshots import FAILING, HEALTHY
from tests.cli.conftest import SHOWN, Terminal


def start_watching(terminal: Terminal, out: int) -> subprocess.Popen[bytes]:
    words = ["status", "--watch", "--every", "0.1", "--host", str(terminal.home.host_file)]
    return subprocess.Popen([sys.executable, "-m", "reconciler", *words], stdout=out, stderr=subprocess.PIPE)


def interrupted(process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    return process.returncode, err


def rest_of(terminal: int) -> bytes:
    """The remaining output of a pseudo-terminal whose other side is closed; its end is an OSError."""
    found = b""
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 65_536):
            found += piece
    os.close(terminal)
    return found


def test_the_page_shows_money_troubles_and_holds(terminal: Terminal) -> None:
    code, out, _ = terminal.run("status")
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "issues     3 need attention, the worst first:"
    assert lines[1] == "           repository is unseen: the remote hung up"
    assert lines[4] == "provider   one  ve1provider"
    assert f"workload   {HEALTHY.id}  running  2,446.5uve a block" in lines
    trouble = "ImagePullFailed: no such image; correct the image's name"
    failing = f"workload   {FAILING.id}  failed  1uve a block  {trouble}"
    assert lines.index(failing) < lines.index(f"workload   {HEALTHY.id}  running  2,446.5uve a block")
    assert "held       all  Ceiling: spend_per_hour is reached" in lines
    assert "pending tx ABABABABABAB: bid 2733uve a block" in lines
    assert json.loads(terminal.run("status", "-o", "json")[1])["address"] == "ve1provider"


def test_effects_in_flight_are_shown_by_target(terminal: Terminal) -> None:
    queues = (
        QueueView("kubernetes", 3, 2, Timestamp(1_800_000_000), 0),
        QueueView("git/status", 0, 0, Timestamp(0), 0),
    )
    terminal.snapshots.publish(replace(SHOWN, queues=queues))
    _, out, _ = terminal.run("status")
    assert "in flight  kubernetes: 2 running, 3 queued, since 2027-01-15T08:00:00Z" in out.splitlines()
    assert "git/status" not in out


def test_switches_of_the_owner_are_shown_with_the_command_to_reset_them(terminal: Terminal) -> None:
    assert "drain --off" not in terminal.run("status")[1]
    terminal.snapshots.publish(replace(SHOWN, draining=True, spending_stopped=True))
    out = terminal.run("status")[1]
    assert "draining: no new bids, leases continue; `provider-daemon drain --off` ends it" in out
    assert "spending is stopped; `provider-daemon stop-spending --off` resumes it" in out
    assert json.loads(terminal.run("status", "-o", "json")[1])["draining"] is True


def test_a_truncated_list_names_the_command_for_the_rest(terminal: Terminal) -> None:
    many = tuple(replace(HEALTHY, id=WorkloadId(f"{HEALTHY.id}{n:04}")) for n in range(ROWS_MAX + 5))
    terminal.snapshots.publish(replace(SHOWN, workloads=many))
    out = terminal.run("status")[1]
    assert out.count("\nworkload   ") == ROWS_MAX
    assert "           and 5 more: provider-daemon get workloads" in out


def test_leases_with_low_funds_are_listed_worst_first(terminal: Terminal) -> None:
    low, gone = TimeLeft(Funding.LOW, 900, 90_000), TimeLeft(Funding.EXHAUSTED, -2, -10)
    first, second = SHOWN.leases
    leases = (replace(first, funding=low), replace(second, funding=gone))
    terminal.snapshots.publish(replace(SHOWN, leases=leases))
    found = [line for line in terminal.run("status")[1].splitlines() if line.startswith("funds")]
    assert found == [
        f"funds      {FAILING.id}  exhausted, they ended 10s ago",
        f"funds      {HEALTHY.id}  low, they last 1d 1h",
    ]


def test_watch_prints_changes_to_a_pipe_until_interrupted(terminal: Terminal) -> None:
    reader, writer = os.pipe()
    process = start_watching(terminal, writer)
    os.close(writer)
    with os.fdopen(reader) as out:
        assert out.readline() == "issues     3 need attention, the worst first:\n"
        terminal.snapshots.publish(replace(SHOWN, provider="two"))
        for line in out:
            if line == "provider   two  ve1provider\n":
                break
        assert interrupted(process) == (0, b"")
        rest = out.read()
    assert "\x1b" not in rest
    assert rest.count("provider ") == 0, "what did not change is not printed again"


def test_a_small_window_says_how_much_is_below() -> None:
    lines = [f"line {number}" for number in range(30)]
    assert screenful(lines, 5, 23) == ["line "] * 22 + ["8 mor"]
    assert screenful(lines, 80, 23)[-1] == "8 more lines below: make the window taller"
    assert screenful(lines, 80, 30) == lines


def test_watch_redraws_a_terminal_in_place(terminal: Terminal) -> None:
    ours, theirs = pty.openpty()
    process = start_watching(terminal, theirs)
    os.close(theirs)
    seen = b""
    until = time.monotonic() + 20
    while seen.count(b"\x1b[H") < 3 and time.monotonic() < until:
        seen += os.read(ours, 65_536)
    assert interrupted(process) == (0, b"")
    seen += rest_of(ours)
    assert seen.startswith(b"\x1b[?1049h\x1b[H")
    _, left, last = seen.partition(b"\x1b[?1049l")
    assert left
    assert last.startswith(b"issues     3 need attention, the worst first:")


def test_watch_waits_for_a_daemon_that_does_not_respond(terminal: Terminal) -> None:
    terminal.servers.stop()
    reader, writer = os.pipe()
    process = start_watching(terminal, writer)
    os.close(writer)
    with os.fdopen(reader) as out:
        assert out.readline().startswith("error: no daemon answers on 127.0.0.1:")
        time.sleep(0.3)
        assert interrupted(process) == (0, b"")
