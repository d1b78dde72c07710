"""A transaction is noted before it is sent, ends once, and stays on record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler import ports
from reconciler.journal import intents as module
from reconciler.journal.opening import OpenJournal, open_journal
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.outcomes import Done
from reconciler.values.records import message_result
from tests.journal.facts import BID, NOON, WITHDRAWAL, intent, plan


@pytest.fixture
def opened(tmp_path: Path) -> OpenJournal:
    return open_journal(tmp_path)


def test_an_intent_is_open_until_it_ends_also_after_a_restart(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    intents: ports.Intents = opened.intents
    intents.record_intent(intent("A"))
    intents.record_intent(intent("B", WITHDRAWAL))
    intents.record_intent(intent("A"))
    assert intents.open_intents() == (intent("A"), intent("B", WITHDRAWAL))
    opened.close()
    opened = open_journal(tmp_path)
    end = Confirmation(intent("A"), IntentOutcome.LANDED, 101, NOON)
    opened.intents.record_end(end)
    assert opened.intents.open_intents() == (intent("B", WITHDRAWAL),)
    opened.close()
    records = open_journal(tmp_path).records
    assert records.confirmation("A") == end
    assert records.confirmation("B") is None
    assert records.confirmation("C") is None


def test_the_second_end_of_an_intent_does_nothing(opened: OpenJournal) -> None:
    opened.intents.record_intent(intent())
    landed = Confirmation(intent(), IntentOutcome.LANDED, 101, NOON)
    outcome = message_result(BID, Done(), NOON)
    opened.intents.record_end(landed, [outcome])
    opened.intents.record_end(Confirmation(intent(), IntentOutcome.EXPIRED, 121, NOON), [outcome])
    assert opened.records.confirmation("AB12") == landed
    assert opened.journal.results() == (outcome,)
    [told] = opened.outbox.unpublished()
    assert told.event == replace(landed, intent=replace(intent(), tx=b""))
    assert opened.records.totals().bids_placed == 1


def test_only_bids_that_landed_count(opened: OpenJournal) -> None:
    opened.intents.record_end(Confirmation(intent("A"), IntentOutcome.REFUSED, 101, NOON, 5, "market", "no"))
    opened.intents.record_end(Confirmation(intent("B"), IntentOutcome.EXPIRED, 121, NOON))
    opened.intents.record_end(Confirmation(intent("C", WITHDRAWAL), IntentOutcome.LANDED, 101, NOON))
    assert opened.records.totals().bids_placed == 0
    opened.intents.record_end(Confirmation(intent("D", BID, BID), IntentOutcome.LANDED, 101, NOON))
    assert opened.records.totals().bids_placed == 2


def test_an_intent_that_was_never_executed_may_be_open_again(opened: OpenJournal) -> None:
    opened.intents.record_intent(intent())
    opened.intents.record_end(Confirmation(intent(), IntentOutcome.REFUSED, log="rejected by the check"))
    opened.intents.record_intent(intent())
    assert opened.intents.open_intents() == (intent(),)
    assert opened.records.confirmation("AB12") is None


def test_an_intent_that_landed_stays_landed(opened: OpenJournal) -> None:
    opened.intents.record_end(Confirmation(intent(), IntentOutcome.LANDED, 101, NOON))
    opened.intents.record_intent(intent())
    assert opened.intents.open_intents() == ()


def test_an_end_and_what_it_means_are_kept_together(
    opened: OpenJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.intents.record_intent(intent())

    def fail(*_: object) -> None:
        raise RuntimeError("power is lost")

    monkeypatch.setattr("reconciler.journal.pending.PendingTable.add", fail)
    with pytest.raises(RuntimeError):
        opened.intents.record_end(
            Confirmation(intent(), IntentOutcome.LANDED, 101), [message_result(BID, Done(), NOON)]
        )
    assert opened.intents.open_intents() == (intent(),)
    assert opened.outbox.unpublished() == ()


def test_the_history_is_bounded_and_open_ones_stay(
    opened: OpenJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HISTORY_MAX", 3)
    opened.intents.record_intent(intent("open"))
    for n in range(6):
        opened.intents.record_end(Confirmation(intent(f"T{n}", WITHDRAWAL), IntentOutcome.LANDED, n))
    kept = [n for n in range(6) if opened.records.confirmation(f"T{n}")]
    assert kept == [3, 4, 5]
    assert opened.intents.open_intents() == (intent("open"),)
    opened.journal.remember(plan(), NOON)
