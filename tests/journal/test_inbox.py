"""Requests reach the loop from any thread, once."""

from __future__ import annotations

import threading
from pathlib import Path

from reconciler import ports
from reconciler.journal.opening import open_journal
from reconciler.values.records import Request
from tests.journal.facts import NOON, intent


def test_requests_are_taken_once_in_order(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    inbox: ports.Inbox = opened.inbox
    inbox.enqueue(Request.STOP, NOON)
    inbox.enqueue(Request.RECONCILE, NOON)
    inbox.enqueue(Request.STOP, NOON)
    assert inbox.take() == (Request.STOP, Request.RECONCILE)
    assert inbox.take() == ()
    inbox.enqueue(Request.STOP, NOON)
    assert inbox.take() == (Request.STOP,)


def test_threads_enqueue_while_the_cycle_writes(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(20):
                opened.inbox.enqueue(Request.RECONCILE, NOON)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(20):
        opened.intents.record_intent(intent(f"T{n}"))
        opened.inbox.take()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(opened.intents.open_intents()) == 20
