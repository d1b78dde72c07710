"""Memory and outcomes survive a restart; what did not change is not written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from reconciler import ports
from reconciler.journal.errors import JournalBrokenError, JournalError
from reconciler.journal.opening import OpenJournal, open_journal
from reconciler.journal.rows import changes, collect
from reconciler.values.ids import LeaseId, OrderId
from reconciler.values.ledger import EntryKind, LedgerEntry
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import Memory, Retry
from reconciler.values.outcomes import Done, Failed
from reconciler.values.records import EffectResult
from reconciler.values.subjects import EffectKey, Subject
from tests.arbitrary import any_of
from tests.journal.facts import LEASE, NOON, STEP, hold, plan, served


def changes_written(opened: OpenJournal) -> int:
    """Rows changed on this connection since it was opened."""
    [(count,)] = opened.database.rows("SELECT total_changes()")
    return int(count)


def test_a_new_journal_is_new_until_a_plan_is_remembered(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    journal: ports.Journal = opened.journal
    assert journal.is_new()
    assert journal.memory() == Memory()
    journal.remember(plan(), NOON)
    assert not journal.is_new()
    opened.close()
    assert not open_journal(tmp_path).journal.is_new()


def test_memory_survives_a_restart(tmp_path: Path) -> None:
    memory = replace(
        served(LEASE),
        applied="c0ffee",
        valid_blobs={"workloads/\udcff.yaml": "b10b", "pricing.yaml": "0b"},
        retries={EffectKey.parse("ApplyWorkload:x"): Retry(1, 2, "r", "why")},
        sequence=4,
        height=17,
    )
    opened = open_journal(tmp_path)
    opened.journal.remember(plan(memory), NOON)
    opened.close()
    assert open_journal(tmp_path).journal.memory() == memory


def test_forgotten_entries_are_gone_after_a_restart(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    opened.journal.remember(plan(replace(served(LEASE), sequence=4, withdrawn_at={LEASE: 5})), NOON)
    opened.journal.remember(plan(Memory(height=3)), NOON + 5)
    opened.close()
    assert open_journal(tmp_path).journal.memory() == Memory(height=3)


def test_the_same_plan_again_writes_nothing(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    opened.journal.remember(plan(served(LEASE), (hold(),)), NOON)
    before = changes_written(opened)
    opened.journal.remember(plan(served(LEASE), (hold(),)), NOON + 5)
    assert changes_written(opened) == before


def test_a_change_among_many_writes_one_row(tmp_path: Path) -> None:
    leases = [LeaseId(OrderId("owner", n, 1, 1), "provider") for n in range(500)]
    memory = replace(served(*leases), withdrawn_at=dict.fromkeys(leases, 1))
    opened = open_journal(tmp_path)
    opened.journal.remember(plan(memory), NOON)
    before = changes_written(opened)
    opened.journal.remember(plan(replace(memory, withdrawn_at={**memory.withdrawn_at, leases[7]: 2})), NOON)
    assert changes_written(opened) == before + 1


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(old=any_of(Memory), new=any_of(Memory))  # two memories of 30 fields
def test_changes_lead_from_any_memory_to_any_other(old: Memory, new: Memory) -> None:
    rows = {(c.section, c.key): c.content for c in changes(Memory(), old)}
    for change in changes(old, new):
        rows[(change.section, change.key)] = change.content
    assert collect([(s, k, c) for (s, k), c in rows.items() if c is not None]) == new
    assert changes(new, new) == ()


def test_outcomes_wait_until_a_plan_has_consumed_them(tmp_path: Path) -> None:
    first = EffectResult(
        EffectKey("ApplyWorkload", Subject.parse("w")),
        "apply workload w",
        Failed("Timeout", "no answer"),
        NOON,
    )
    second = EffectResult(
        EffectKey("RemoveWorkload", Subject.parse("w")), "remove workload w", Done(), NOON + 1
    )
    opened = open_journal(tmp_path)
    opened.journal.record([first])
    assert opened.journal.results() == (first,)
    assert opened.journal.results() == (first,)
    opened.journal.record([second])
    opened.journal.remember(plan(), NOON)
    assert opened.journal.results() == (second,)
    opened.close()
    again = open_journal(tmp_path)
    again.journal.remember(plan(), NOON)
    assert again.journal.results() == (second,)
    again.journal.remember(plan(), NOON)
    assert again.journal.results() == ()


def test_a_lease_that_is_new_to_the_memory_is_a_bid_won(tmp_path: Path) -> None:
    other = LeaseId(OrderId("owner", 1000002, 1, 1), "provider")
    opened = open_journal(tmp_path)
    opened.journal.remember(plan(served(LEASE)), NOON)
    assert opened.records.totals().bids_won == 0, "the journal began with it"
    opened.journal.remember(plan(served(LEASE, other)), NOON)
    opened.journal.remember(plan(served(other, phase=Phase.RUNNING)), NOON)
    opened.journal.remember(plan(served(other, phase=Phase.RUNNING)), NOON)
    assert opened.records.totals().bids_won == 1


def test_memory_holds_and_transitions_are_kept_together_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_journal(tmp_path)
    opened.journal.remember(plan(), NOON)

    def fail(*_: object) -> None:
        raise RuntimeError("power is lost")

    with monkeypatch.context() as patch:
        patch.setattr("reconciler.journal.pending.PendingTable.delete", fail)
        with pytest.raises(RuntimeError):
            opened.journal.remember(plan(served(LEASE), (hold(),), (STEP,)), NOON)
    assert opened.journal.memory() == Memory()
    assert opened.outbox.unpublished() == ()
    assert opened.records.decisions(hold().subject) == ()
    opened.journal.remember(plan(served(LEASE), (hold(),), (STEP,)), NOON)
    assert [e.event for e in opened.outbox.unpublished()] == [STEP]
    assert len(opened.records.decisions(hold().subject)) == 1


@pytest.mark.parametrize(
    ("section", "key", "content"), [("heigth", "", "1"), ("height", '"x"', "1"), ("height", "", "one")]
)
def test_rows_that_are_not_ours_are_a_sentence(tmp_path: Path, section: str, key: str, content: str) -> None:
    opened = open_journal(tmp_path)
    opened.database.execute("INSERT INTO memory VALUES (?, ?, ?)", (section, key, content))
    opened.close()
    with pytest.raises(JournalBrokenError, match="move the file away"):
        open_journal(tmp_path)


def test_a_number_that_the_database_cannot_store_is_an_error_with_advice(tmp_path: Path) -> None:
    opened = open_journal(tmp_path)
    entry = LedgerEntry(1, NOON, EntryKind.EXTERNAL, 2**63)
    with pytest.raises(JournalError, match="more than 64 bits; check the node"):
        opened.journal.remember(replace(plan(), entries=(entry,)), NOON)
    opened.journal.remember(plan(), NOON)
