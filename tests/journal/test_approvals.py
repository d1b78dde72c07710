"""An approval waits for the plan that hears it, whatever dies in between, and is told."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from reconciler import ports
from reconciler.journal.database import NAME
from reconciler.journal.inbox import SqliteInbox
from reconciler.journal.opening import open_journal
from reconciler.values.approvals import Approval, Breach
from reconciler.values.ids import WorkloadId
from reconciler.values.memory import Memory, PastDisruption, PriceSpan
from tests.journal.facts import NOON, plan

BREACH = Breach("c" * 40, "price_change_percent", "20", ("gpu goes from 1uve to 2uve",))
WORD = Approval(BREACH, "olga", NOON)


def test_an_approval_is_returned_until_a_plan_is_remembered(tmp_path: Path) -> None:
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


def elsewhere(program: str, path: Path) -> str:
    """What a process of its own prints: SQLite's locks are between processes."""
    command = [sys.executable, "-c", program, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


APPROVE = """
import sys
from pathlib import Path
from reconciler.journal.inbox import SqliteInbox
from tests.journal.test_approvals import WORD
inbox = SqliteInbox(Path(sys.argv[1]) / "journal.sqlite")
inbox.approve(WORD)
inbox.close()
"""
READ = """
import sys
from pathlib import Path
from reconciler.journal.opening import open_records
print(open_records(Path(sys.argv[1])).memory().height)
"""


def test_a_command_that_writes_beside_the_daemon_costs_it_nothing(tmp_path: Path) -> None:
    """The first writer that leaves must not take the daemon's write-ahead log for its own and remove it."""
    opened = open_journal(tmp_path)
    opened.journal.remember(plan(Memory(height=1)), NOON)
    elsewhere(APPROVE, tmp_path)
    assert opened.journal.approvals() == (WORD,)
    opened.journal.remember(plan(Memory(height=2)), NOON)
    assert elsewhere(READ, tmp_path) == "2"
    elsewhere(APPROVE, tmp_path)
    assert opened.journal.approvals() == (WORD,)
    opened.close()
    assert open_journal(tmp_path).journal.memory().height == 2


def test_an_unread_result_is_not_lost(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    opened.inbox.approve(WORD)
    opened.journal.remember(plan(Memory(height=1)), NOON)
    assert opened.journal.approvals() == (WORD,)


def test_an_approval_is_published_once_and_stays_in_the_history(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    opened.inbox.approve(WORD)
    assert [u.event for u in opened.outbox.unpublished()] == [WORD]
    opened.outbox.mark_published([u.id for u in opened.outbox.unpublished()], "c0ffee")
    assert [(h.at, h.event) for h in opened.records.events(0, 9)] == [(NOON, WORD)]


def test_what_waits_and_what_is_approved_survive_a_restart(tmp_path: Path) -> None:
    memory = Memory(approvable={BREACH.digest: BREACH}, approvals={BREACH.digest: WORD})
    opened = open_journal(tmp_path)
    opened.journal.remember(plan(memory), NOON)
    opened.close()
    assert open_journal(tmp_path).journal.memory() == memory


def test_what_was_in_force_within_the_window_survives_a_restart(tmp_path: Path) -> None:
    spans = (PriceSpan(NOON - 5, Decimal("0.5"), Decimal("1.1")), PriceSpan(0, Decimal(1), Decimal(1)))
    one, other = PastDisruption(NOON, approved=True, before="ab"), PastDisruption(1)
    done = {WorkloadId("w"): one, WorkloadId("v"): other}
    memory = Memory(prices={"gpu": spans}, disrupted=done)
    opened = open_journal(tmp_path)
    opened.journal.remember(replace(plan(), memory=memory), NOON)
    opened.close()
    assert open_journal(tmp_path).journal.memory() == memory
