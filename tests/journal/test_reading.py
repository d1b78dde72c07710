"""The journal as it is read page by page beside a running daemon; and what landed is on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler import ports
from reconciler.journal.errors import JournalError
from reconciler.journal.opening import OpenJournal, open_journal, open_records
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.records import JournalCounts
from reconciler.values.subjects import Subject
from tests.journal.facts import BID, LEASE, NOON, STEP, WITHDRAWAL, hold, intent, plan, served

FATES = (IntentOutcome.LANDED, IntentOutcome.REFUSED, IntentOutcome.EXPIRED)


def busy(opened: OpenJournal, count: int = 7) -> None:
    """So many transactions; every second one has ended, one way or another."""
    for n in range(count):
        made = intent(f"{n:04}", WITHDRAWAL)
        opened.intents.record_intent(made)
        if n % 2 == 0:
            opened.intents.record_end(
                Confirmation(made, FATES[n // 2 % 3], 90 + n, NOON + n, 5, "sdk", "why")
            )


def test_pages_together_are_all_transactions_newest_first(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    busy(opened)
    history: ports.History = open_records(tmp_path)
    found, before, more = [], 0, True
    while more:
        look = history.page(before, 3)
        found += [each.intent.hash for each in look.transactions]
        before, more = look.transactions[-1].position, look.has_older
    assert found == [f"{n:04}" for n in reversed(range(7))]


def test_each_transaction_has_its_end_and_no_bytes(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    busy(opened, 3)
    newest, still, oldest = open_records(tmp_path).page(0, 10).transactions
    assert still.end is None
    assert newest.end is not None
    assert (newest.end.outcome, newest.end.height, newest.end.log) == (IntentOutcome.REFUSED, 92, "why")
    assert oldest.end is not None
    assert oldest.end.outcome is IntentOutcome.LANDED
    assert {each.intent.tx for each in (newest, still, oldest)} == {b""}
    assert newest.end.intent.tx == b""


def test_counts_are_of_now_and_of_all_that_ever_ended(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    busy(opened)
    opened.journal.remember(plan(served(LEASE), transitions=(STEP,)), NOON)
    counts = open_records(tmp_path).counts()
    assert counts == JournalCounts(
        3, {IntentOutcome.LANDED: 2, IntentOutcome.REFUSED: 1, IntentOutcome.EXPIRED: 1}, counts.unpublished
    )
    assert counts.unpublished == 5
    opened.outbox.mark_published([u.id for u in opened.outbox.unpublished()], "c0ffee")
    assert open_records(tmp_path).counts().unpublished == 0


def test_what_landed_is_on_record_for_its_subject(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    sent = intent("AB12CD34EF56AB12", BID)
    opened.intents.record_intent(sent)
    landed = plan(served(LEASE))
    landed = type(landed)(
        landed.revision,
        (),
        (),
        (),
        landed.memory,
        confirmations=(Confirmation(sent, IntentOutcome.LANDED, 91, NOON),),
    )
    opened.journal.remember(landed, NOON)
    [found] = open_records(tmp_path).decisions(Subject.parse("owner/1000001/1/1"))
    assert (found.subject, found.reason, found.held) == (Subject.of_lease(LEASE), "CreateBid", False)
    assert found.message == (
        "bid 2446uve a block on order owner/1000001/1/1: done (block 91, transaction AB12CD34EF56)"
    )


def test_a_transaction_that_did_not_land_is_not_reported_as_landed(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    sent = intent("AB12", BID)
    opened.intents.record_intent(sent)
    ended = plan(served(LEASE))
    ended = type(ended)(
        ended.revision, (), (), (), ended.memory, confirmations=(Confirmation(sent, IntentOutcome.EXPIRED),)
    )
    opened.journal.remember(ended, NOON)
    assert open_records(tmp_path).decisions(Subject.parse("owner/1000001/1/1")) == ()


def test_the_latest_decisions_come_first_and_are_few(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    for n in range(150):
        opened.journal.remember(plan(served(LEASE), (hold(f"owner/{n}/1/1"),)), NOON + n)
    found = open_records(tmp_path).page(0, 1).decisions
    assert len(found) == 100
    assert found[0].subject.name == "owner/149/1/1"


def test_a_damaged_journal_raises_a_message(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    busy(opened)
    opened.database.execute("UPDATE intents SET content = 'nonsense'")
    with pytest.raises(JournalError, match="cannot be read"):
        open_records(tmp_path).page(0, 10)
