"""What became of each revision is kept: applied, held, refused, and when it gave way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reconciler.journal.opening import OpenJournal, open_journal
from reconciler.reports.plan_json import plan_digest
from reconciler.values.plans import Plan
from reconciler.values.records import PastRevision
from reconciler.values.revision_verdict import RevisionVerdict, VerdictKind
from tests.journal.facts import NOON, plan


def plan_with_verdict(letter: str, verdict: VerdictKind = VerdictKind.APPLIED, why: str = "") -> Plan:
    """A plan that came to this verdict."""
    return replace(
        plan(), revision_verdict=RevisionVerdict(letter * 40, "Olga", f"Change {letter}", verdict, why)
    )


def told(opened: OpenJournal) -> list[tuple[str, str, int, int, int]]:
    return [_short(each) for each in opened.records.revisions(99)]


def _short(past: PastRevision) -> tuple[str, str, int, int, int]:
    times = (past.seen_at - NOON, past.judged_at - NOON, max(past.ended_at - NOON, 0))
    return past.revision_verdict.commit[0], past.revision_verdict.verdict.value, *times


def through(tmp_path: Path, *plans: Plan) -> OpenJournal:
    """These plans, a second apart, each remembered twice."""
    opened = open_journal(tmp_path)
    for second, each in enumerate(plans):
        opened.journal.remember(each, NOON + second)
        opened.journal.remember(each, NOON + second)
    return opened


def test_one_revision_after_another_is_applied(tmp_path: Path) -> None:
    opened = through(tmp_path, plan_with_verdict("a"), plan_with_verdict("b"), plan_with_verdict("c"))
    assert told(opened) == [("c", "applied", 2, 2, 0), ("b", "applied", 1, 1, 2), ("a", "applied", 0, 0, 1)]
    [newest, *_] = opened.records.revisions(1)
    assert newest.plan_digest == plan_digest(plan_with_verdict("c"))
    assert len([u for u in opened.outbox.unpublished() if isinstance(u.event, RevisionVerdict)]) == 3


def test_what_waits_leaves_what_is_in_force_open_and_is_applied_in_its_place(tmp_path: Path) -> None:
    opened = through(
        tmp_path,
        plan_with_verdict("a"),
        plan_with_verdict("b", VerdictKind.HELD, "PriceJump: far"),
        plan_with_verdict("b", why="olga"),
    )
    assert told(opened) == [("b", "applied", 1, 2, 0), ("a", "applied", 0, 0, 2)]
    assert [u.event.why for u in opened.outbox.unpublished() if isinstance(u.event, RevisionVerdict)] == [
        "",
        "PriceJump: far",
        "olga",
    ]


def test_what_waited_is_superseded_by_the_next(tmp_path: Path) -> None:
    opened = through(
        tmp_path,
        plan_with_verdict("a"),
        plan_with_verdict("b", VerdictKind.HELD),
        plan_with_verdict("c", VerdictKind.REFUSED),
    )
    assert told(opened) == [("c", "refused", 2, 2, 0), ("b", "held", 1, 1, 2), ("a", "applied", 0, 0, 0)]
    opened.close()
    again = through(tmp_path, plan_with_verdict("c", VerdictKind.REFUSED), plan_with_verdict("d"))
    assert told(again)[:2] == [("d", "applied", 1, 1, 0), ("c", "refused", 2, 2, 1)]
    assert told(again)[-1] == ("a", "applied", 0, 0, 1)


def test_a_restored_branch_continues_unchanged(tmp_path: Path) -> None:
    opened = through(
        tmp_path,
        plan_with_verdict("a"),
        plan_with_verdict("b", VerdictKind.REFUSED, "RewrittenHistory"),
        plan_with_verdict("a"),
    )
    assert told(opened) == [("b", "refused", 1, 1, 2), ("a", "applied", 0, 0, 0)]
    assert len(opened.outbox.unpublished()) == 2


def test_by_whose_word_it_was_applied_stays_on_record(tmp_path: Path) -> None:
    opened = through(tmp_path, plan_with_verdict("a", why="approved by olga"), plan_with_verdict("a"))
    assert [r.revision_verdict.why for r in opened.records.revisions(9)] == ["approved by olga"]


def test_an_unavailable_repository_changes_nothing(tmp_path: Path) -> None:
    opened = through(tmp_path, plan_with_verdict("a"), plan())
    assert told(opened) == [("a", "applied", 0, 0, 0)]


def over(made: Plan, *older: str) -> Plan:
    """The same plan, whose newest commit supersedes these."""
    found = [
        RevisionVerdict(letter * 40, "Olga", f"Change {letter}", VerdictKind.SUPERSEDED) for letter in older
    ]
    return replace(made, superseded=tuple(found))


def test_superseded_commits_have_a_row_each_written_once(tmp_path: Path) -> None:
    opened = through(
        tmp_path, plan_with_verdict("a"), over(plan_with_verdict("d", VerdictKind.HELD), "b", "c")
    )
    expected = [
        ("d", "held", 1, 1, 0),
        ("c", "superseded", 1, 1, 1),
        ("b", "superseded", 1, 1, 1),
        ("a", "applied", 0, 0, 0),
    ]
    assert told(opened) == expected
    opened.close()
    again = through(tmp_path, over(plan_with_verdict("d", VerdictKind.HELD), "b", "c"))
    assert told(again) == expected
    assert [
        u.event.commit[0] for u in again.outbox.unpublished() if isinstance(u.event, RevisionVerdict)
    ] == [*"abcd"]


def test_a_revision_that_was_evaluated_keeps_its_row_when_it_is_superseded(tmp_path: Path) -> None:
    opened = through(
        tmp_path,
        plan_with_verdict("a"),
        plan_with_verdict("b", VerdictKind.HELD),
        over(plan_with_verdict("c"), "b"),
    )
    assert told(opened) == [("c", "applied", 2, 2, 0), ("b", "held", 1, 1, 2), ("a", "applied", 0, 0, 2)]


def test_a_superseded_commit_may_become_the_newest_again(tmp_path: Path) -> None:
    opened = through(
        tmp_path,
        plan_with_verdict("a"),
        over(plan_with_verdict("c", VerdictKind.HELD), "b"),
        plan_with_verdict("b"),
    )
    assert told(opened)[:2] == [("b", "applied", 2, 2, 0), ("c", "held", 1, 1, 2)]
