"""The owner says that a height was false: the daemon is asked, now or at its next cycle."""

from __future__ import annotations

from reconciler.values.memory import Memory
from reconciler.values.records import Request
from tests.cli.conftest import Terminal
from tests.journal.facts import NOON, plan


def test_the_request_is_stored_and_the_daemon_woken(terminal: Terminal) -> None:
    terminal.journal.journal.remember(plan(Memory(height=10**15)), NOON)
    code, out, err = terminal.run("forget-height")
    assert (code, err) == (0, "")
    assert out == "height 1000000000000000 is discarded; the next cycle accepts the node's height\n"
    assert terminal.wake.count == 1
    assert Request.FORGET_HEIGHT in terminal.journal.inbox.take()


def test_without_a_daemon_the_request_waits(terminal: Terminal) -> None:
    terminal.servers.stop()
    code, out, _ = terminal.run("forget-height")
    assert code == 0
    assert out.endswith("the daemon does not respond; the request waits for its next cycle\n")
    assert terminal.journal.inbox.take() == (Request.FORGET_HEIGHT,)
