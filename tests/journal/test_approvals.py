"""An approval waits for the plan that hears it, whatever dies in between, and is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reconciler import ports
from reconciler.journal.database import NAME
from reconciler.journal.inbox import SqliteInbox
from reconciler.journal.opening import open_journal
from reconciler.values.approvals import Approval, Breach
from reconciler.values.memory import Memory
from tests.journal.facts import NOON, plan

BREACH = Breach("c" * 40, "price_change_percent", "20", ("gpu goes from 1uve to 2uve",))
WORD = Approval(BREACH, "olga", NOON)


def test_it_waits_for_a_plan_over_a_restart_and_is_given_until_one_is_remembered(tmp_path: Path) -> None:
    open_journal(tmp_path).close()
    host: ports.Inbox = SqliteInbox(tmp_path / NAME)
    host.approve(WORD)
    opened = open_journal(tmp_path)
    assert opened.journal.approvals() == (WORD,)
    assert opened.journal.approvals() == (WORD,)
    later = replace(WORD, at=NOON + 9)
    host.approve(later)
    opened.journal.remember(plan(), NOON)
    assert opened.journal.approvals() == (later,)
    opened.journal.remember(plan(), NOON)
    assert opened.journal.approvals() == ()


def test_one_that_no_plan_has_asked_for_is_not_lost(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    opened.inbox.approve(WORD)
    opened.journal.remember(plan(Memory(height=1)), NOON)
    assert opened.journal.approvals() == (WORD,)


def test_it_is_told_once_and_stays_in_the_history(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    opened.inbox.approve(WORD)
    assert [u.event for u in opened.outbox.unpublished()] == [WORD]
    opened.outbox.published([u.id for u in opened.outbox.unpublished()], "c0ffee")
    assert [(h.at, h.event) for h in opened.records.events(0, 9)] == [(NOON, WORD)]


def test_what_waits_and_what_is_approved_survive_a_restart(tmp_path: Path) -> None:
    memory = Memory(waiting={BREACH.digest: BREACH}, approvals={BREACH.digest: WORD})
    opened = open_journal(tmp_path)
    opened.journal.remember(plan(memory), NOON)
    opened.close()
    assert open_journal(tmp_path).journal.memory() == memory
