"""What no pushed commit covers stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler import ports
from reconciler.journal import outbox as module
from reconciler.journal.errors import JournalBrokenError
from reconciler.journal.opening import open_journal
from reconciler.values.commit_status import CommitStatus, ReportedStatus, StatusState
from reconciler.values.outcomes import Done
from reconciler.values.records import EffectResult
from reconciler.values.subjects import EffectKey, Subject
from tests.journal.facts import NOON, STEP, plan


def test_events_stay_until_a_commit_covers_them_also_after_a_restart(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    outcome = EffectResult(EffectKey("ApplyWorkload", Subject.parse("w")), "apply workload w", Done(), NOON)
    opened.journal.remember(plan(transitions=(STEP,)), NOON)
    opened.journal.record([outcome])
    opened.close()
    opened = open_journal(tmp_path)
    outbox: ports.Outbox = opened.outbox
    first, second = outbox.unpublished()
    assert (first.event, second.event) == (STEP, outcome)
    assert outbox.unpublished()[0] is first, "decoded once, however long no commit covers it"
    outbox.mark_published([first.id], "c0ffee")
    outbox.mark_published([first.id], "c0ffee")
    assert outbox.unpublished() == (second,)
    outbox.mark_published([second.id], "")
    assert outbox.unpublished() == ()
    opened.close()
    assert open_journal(tmp_path).records.published() == "c0ffee"


def test_history_keeps_what_was_published_with_its_time_and_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_journal(tmp_path)
    outcome = EffectResult(
        EffectKey("ApplyWorkload", Subject.parse("w")), "apply workload w", Done(), NOON + 5
    )
    opened.journal.remember(plan(transitions=(STEP,)), NOON)
    opened.journal.record([outcome])
    opened.outbox.mark_published([u.id for u in opened.outbox.unpublished()], "c0ffee")
    found = opened.records.events(0, 10)
    assert [(each.at, each.event) for each in found] == [(NOON, STEP), (NOON + 5, outcome)]
    assert opened.records.events(NOON + 1, 10) == found[1:]
    assert opened.records.events(0, 1) == found[1:]
    monkeypatch.setattr(module, "HISTORY_MAX", 2)
    opened.journal.remember(plan(transitions=(STEP,)), NOON + 9)
    assert [each.at for each in opened.records.events(0, 10)] == [NOON + 5, NOON + 9]


def test_ids_are_never_used_again(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    opened.journal.remember(plan(transitions=(STEP,)), NOON)
    [first] = opened.outbox.unpublished()
    opened.outbox.mark_published([first.id], "c0ffee")
    opened.journal.remember(plan(transitions=(STEP,)), NOON)
    [second] = opened.outbox.unpublished()
    assert second.id > first.id


def test_a_long_outage_is_published_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_MAX", 2)
    opened = open_journal(tmp_path)
    opened.journal.remember(plan(transitions=(STEP,) * 3), NOON)
    told = opened.outbox.unpublished()
    assert len(told) == 2
    opened.outbox.mark_published([e.id for e in told], "c0ffee")
    assert len(opened.outbox.unpublished()) == 1


def test_commit_statuses_are_stored_unchanged(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    outbox: ports.Outbox = opened.outbox
    assert outbox.commit_statuses() == ()
    held = ReportedStatus(CommitStatus("a" * 40, StatusState.PENDING, "held: “so” much"))
    applied = ReportedStatus(CommitStatus("b" * 40, StatusState.SUCCESS, "applied"), reported=True)
    outbox.store_commit_statuses([held])
    outbox.store_commit_statuses([held, applied])
    opened.close()
    opened = open_journal(tmp_path)
    assert opened.outbox.commit_statuses() == (held, applied)
    opened.database.execute("UPDATE facts SET content = '[{]' WHERE name = 'commit_states'")
    with pytest.raises(JournalBrokenError):
        opened.outbox.commit_statuses()


def test_events_that_nobody_publishes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HISTORY_MAX", 3)
    opened = open_journal(tmp_path)
    for number in range(7):
        opened.journal.remember(plan(transitions=(STEP,)), NOON + number)
    assert [each.id for each in opened.outbox.unpublished()] == [5, 6, 7]
