"""What was asked and what was told, joined: which revision brought a commit, and what became of it."""

from __future__ import annotations

from reconciler.reports.history import CommitFate, HistoryEntry, chronicle, since
from reconciler.values.history import DesiredRevision, StatusRevision


def asked(name: str, *parents: str, at: int = 0) -> DesiredRevision:
    return DesiredRevision(name, parents, "Olga", "olga@example.org", at, f"Change {name}", ("pricing.yaml",))


def told(name: str, revision: str, *held: str, at: int = 0) -> StatusRevision:
    return StatusRevision(name, at, (f"said {name}",), (), revision, held, f"plan-{name}")


def by_name(*entries: HistoryEntry) -> dict[str, HistoryEntry]:
    return {each.asked.id: each for each in entries}


def test_commits_that_came_at_once_were_brought_by_the_last_of_them() -> None:
    history = [asked("d", "c"), asked("c", "b"), asked("b", "a"), asked("a")]
    found = by_name(*chronicle(history, [told("3", "c"), told("2", "c"), told("1", "a")]))
    assert {k: (e.fate, e.revision) for k, e in found.items()} == {
        "d": (CommitFate.WAITING, ""),
        "c": (CommitFate.IN_FORCE, "c"),
        "b": (CommitFate.IN_FORCE, "c"),
        "a": (CommitFate.APPLIED, "a"),
    }
    assert [t.id for t in found["c"].did] == ["2", "3"]
    assert found["b"].did == ()
    assert found["b"].applied == found["c"].applied == told("2", "c")
    assert [k for k, e in found.items() if e.is_revision] == ["c", "a"]


def test_a_merge_brings_what_it_merged() -> None:
    history = [asked("m", "b", "s"), asked("s", "a"), asked("b", "a"), asked("a")]
    found = by_name(*chronicle(history, [told("2", "m"), told("1", "b")]))
    assert {k: e.revision for k, e in found.items()} == {"m": "m", "s": "m", "b": "b", "a": "b"}


def test_what_is_held_waits_and_what_is_passed_over_is_superseded() -> None:
    history = [asked("b", "a"), asked("a")]
    held = [told("2", "a", "b"), told("1", "a")]
    waiting = by_name(*chronicle(history, held))["b"]
    assert (waiting.fate, waiting.held, waiting.applied) == (CommitFate.HELD, held[0], None)
    history.insert(0, asked("c", "b"))
    found = by_name(*chronicle(history, [told("3", "c"), *held]))
    assert (found["b"].fate, found["c"].fate) == (CommitFate.SUPERSEDED, CommitFate.IN_FORCE)
    assert found["b"].is_revision


def test_what_was_held_and_approved_is_applied() -> None:
    history = [asked("b", "a"), asked("a")]
    found = by_name(*chronicle(history, [told("3", "b"), told("2", "a", "b"), told("1", "a")]))
    assert (found["b"].fate, found["b"].revision) == (CommitFate.IN_FORCE, "b")
    assert found["b"].held is not None


def test_what_was_applied_and_rewritten_away_comes_last_by_its_id() -> None:
    entries = chronicle([asked("z")], [told("2", "z"), told("1", "gone"), told("0", "")])
    assert [e.asked.id for e in entries] == ["z", "", "gone"]
    assert entries[2] == HistoryEntry(
        DesiredRevision("gone"), CommitFate.APPLIED, "gone", told("1", "gone"), None, (told("1", "gone"),)
    )


def test_without_a_status_branch_nothing_is_known() -> None:
    assert [e.fate for e in chronicle([asked("a")], [])] == [CommitFate.UNKNOWN]


def test_since_keeps_what_was_asked_or_told_from_then_on() -> None:
    history = [asked("b", "a", at=50), asked("a", at=10)]
    entries = chronicle(history, [told("2", "a", at=60), told("1", "a", at=20)])
    assert [(e.asked.id, [t.id for t in e.did]) for e in since(entries, 55)] == [("a", ["2"])]
    assert [e.asked.id for e in since(entries, 50)] == ["b", "a"]
    assert list(since(entries, 61)) == []
