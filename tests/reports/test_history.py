"""The desired and the status branch joined: the revision that included a commit, and its outcome."""

from __future__ import annotations

from reconciler.reports.history import CommitOutcome, HistoryEntry, join_histories, since
from reconciler.values.history import DesiredRevision, StatusRevision


def desired(name: str, *parents: str, at: int = 0) -> DesiredRevision:
    return DesiredRevision(name, parents, "Olga", "olga@example.org", at, f"Change {name}", ("pricing.yaml",))


def published(name: str, revision: str, *held: str, at: int = 0) -> StatusRevision:
    return StatusRevision(name, at, (f"event {name}",), (), revision, held, f"plan-{name}")


def by_name(*entries: HistoryEntry) -> dict[str, HistoryEntry]:
    return {each.desired.id: each for each in entries}


def test_commits_pushed_at_once_are_applied_with_the_last() -> None:
    history = [desired("d", "c"), desired("c", "b"), desired("b", "a"), desired("a")]
    found = by_name(*join_histories(history, [published("3", "c"), published("2", "c"), published("1", "a")]))
    assert {k: (e.outcome, e.revision) for k, e in found.items()} == {
        "d": (CommitOutcome.WAITING, ""),
        "c": (CommitOutcome.IN_FORCE, "c"),
        "b": (CommitOutcome.IN_FORCE, "c"),
        "a": (CommitOutcome.APPLIED, "a"),
    }
    assert [t.id for t in found["c"].status_commits] == ["2", "3"]
    assert found["b"].status_commits == ()
    assert found["b"].applied == found["c"].applied == published("2", "c")
    assert [k for k, e in found.items() if e.is_revision] == ["c", "a"]


def test_a_merge_includes_the_merged_commits() -> None:
    history = [desired("m", "b", "s"), desired("s", "a"), desired("b", "a"), desired("a")]
    found = by_name(*join_histories(history, [published("2", "m"), published("1", "b")]))
    assert {k: e.revision for k, e in found.items()} == {"m": "m", "s": "m", "b": "b", "a": "b"}


def test_a_held_commit_is_superseded_once_a_later_one_is_applied() -> None:
    history = [desired("b", "a"), desired("a")]
    held = [published("2", "a", "b"), published("1", "a")]
    waiting = by_name(*join_histories(history, held))["b"]
    assert (waiting.outcome, waiting.held, waiting.applied) == (CommitOutcome.HELD, held[0], None)
    history.insert(0, desired("c", "b"))
    found = by_name(*join_histories(history, [published("3", "c"), *held]))
    assert (found["b"].outcome, found["c"].outcome) == (CommitOutcome.SUPERSEDED, CommitOutcome.IN_FORCE)
    assert found["b"].is_revision


def test_a_held_commit_is_applied_once_approved() -> None:
    history = [desired("b", "a"), desired("a")]
    found = by_name(
        *join_histories(history, [published("3", "b"), published("2", "a", "b"), published("1", "a")])
    )
    assert (found["b"].outcome, found["b"].revision) == (CommitOutcome.IN_FORCE, "b")
    assert found["b"].held is not None


def test_applied_commits_lost_in_a_rewrite_come_last() -> None:
    entries = join_histories(
        [desired("z")], [published("2", "z"), published("1", "gone"), published("0", "")]
    )
    assert [e.desired.id for e in entries] == ["z", "", "gone"]
    assert entries[2] == HistoryEntry(
        DesiredRevision("gone"),
        CommitOutcome.APPLIED,
        "gone",
        published("1", "gone"),
        None,
        (published("1", "gone"),),
    )


def test_without_a_status_branch_the_outcome_is_unknown() -> None:
    assert [e.outcome for e in join_histories([desired("a")], [])] == [CommitOutcome.UNKNOWN]


def test_since_selects_commits_of_either_branch_from_then_on() -> None:
    history = [desired("b", "a", at=50), desired("a", at=10)]
    entries = join_histories(history, [published("2", "a", at=60), published("1", "a", at=20)])
    assert [(e.desired.id, [t.id for t in e.status_commits]) for e in since(entries, 55)] == [("a", ["2"])]
    assert [e.desired.id for e in since(entries, 50)] == ["b", "a"]
    assert list(since(entries, 61)) == []
