"""The repository: read beside the loop, each file once; while it is silent, the last revisions are used."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from reconciler.cycle import revision_fetcher as module
from reconciler.cycle.revision_fetcher import LATE_SECONDS, RevisionFetcher
from reconciler.documents.desired import DesiredReader
from reconciler.values.desired import Revisions
from reconciler.values.memory import Memory
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.repository import Commit, CommitHeader
from tests import makers
from tests.cycle.worlds import MemoryRepo, Scenery
from tests.waiting import wait_until


def wait_for(
    look: Callable[[], Reading[Revisions]], holds: Callable[[Reading[Revisions]], bool]
) -> Reading[Revisions]:
    for _ in range(3_000):
        if holds(reading := look()):
            return reading
        time.sleep(0.01)
    raise AssertionError(reading)


def is_whole(reading: Reading[Revisions]) -> bool:
    return isinstance(reading, Seen) and not reading.view.stale


def test_everything_is_read_once(scene: Scenery) -> None:
    desired = RevisionFetcher(scene.world, makers.US).revisions(Memory())

    assert isinstance(desired, Seen)
    newest = desired.view.newest.desired
    assert newest.pricing is not None
    assert newest.commit == scene.repo.commit.id


def test_a_file_that_did_not_change_is_not_read_again(scene: Scenery) -> None:
    fetcher = RevisionFetcher(scene.world, makers.US)
    fetcher.revisions(Memory())
    scene.calls.clear()

    fetcher.revisions(Memory())

    assert scene.calls == ["fetch"]


def test_an_unavailable_repository_keeps_the_last_fetch_with_the_reason(scene: Scenery) -> None:
    scene.repo.silent = Unseen("the server does not answer")

    desired = RevisionFetcher(scene.world, makers.US).revisions(Memory())

    assert isinstance(desired, Seen)
    assert desired.view.stale == "the server does not answer"
    assert desired.view.newest.desired.pricing is not None


def test_a_repository_that_was_never_read_is_unseen_for_its_own_reason(scene: Scenery) -> None:
    scene.repo.silent, scene.repo.recalled = Unseen("no such host"), Unseen("never read")

    assert RevisionFetcher(scene.world, makers.US).revisions(Memory()) == Unseen("no such host")


def test_a_large_commit_is_parsed_beside_the_loop(scene: Scenery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_WAIT_SECONDS", 0.01)
    fetcher = RevisionFetcher(replace(scene.world, fetch_wait_seconds=0.01), makers.US)
    held, desired = Event(), DesiredReader.desired

    def slow(*args: Any) -> Any:
        assert held.wait(30)
        return desired(*args)

    monkeypatch.setattr(DesiredReader, "desired", slow)
    first = fetcher.revisions(Memory())
    second = fetcher.revisions(Memory())
    held.set()
    read = wait_for(lambda: fetcher.revisions(Memory()), is_whole)

    assert first == second == Unseen("the repository is being read for the first time")
    assert isinstance(read, Seen)
    assert scene.calls.count("read pricing.yaml") == 1


def test_meanwhile_the_last_one_counts(scene: Scenery, monkeypatch: pytest.MonkeyPatch) -> None:
    fetcher = RevisionFetcher(replace(scene.world, fetch_wait_seconds=0.01), makers.US)
    before = wait_for(lambda: fetcher.revisions(Memory()), is_whole)
    held, desired = Event(), DesiredReader.desired

    def broken(*args: Any) -> Any:
        assert held.wait(30)
        raise RuntimeError("odd")

    monkeypatch.setattr(DesiredReader, "desired", broken)
    newer = replace(scene.repo.commit, id="d" * 40, files={"config.yaml": "another"})
    monkeypatch.setattr(MemoryRepo, "commit", newer)
    scene.repo.files["another"] = b"bidding: {enabled: false}\n"
    meanwhile = fetcher.revisions(Memory())
    held.set()

    assert isinstance(before, Seen)
    assert isinstance(meanwhile, Seen)
    assert meanwhile.view.newest == before.view.newest
    with pytest.raises(RuntimeError, match="odd"):
        wait_for(lambda: fetcher.revisions(Memory()), lambda reading: False)

    monkeypatch.setattr(DesiredReader, "desired", desired)
    after = wait_for(lambda: fetcher.revisions(Memory()), is_whole)
    assert isinstance(after, Seen)
    assert after.view.newest != before.view.newest


class Beside:
    """A fetcher of a daemon whose repository hangs until `answer` is set; `woken` counts its wakes."""

    def __init__(self, scene: Scenery, monkeypatch: pytest.MonkeyPatch, poll_seconds: int = 30) -> None:
        self.answer, self.woken = Event(), list[None]()
        monkeypatch.setattr(module, "FIRST_WAIT_SECONDS", 2.0)
        fetch = scene.repo.fetch

        def hanging(applied: str) -> Reading[tuple[Commit, ...]]:
            assert self.answer.wait(30)
            return fetch(applied)

        monkeypatch.setattr(scene.repo, "fetch", hanging)
        world = replace(
            scene.world,
            fetch_wait_seconds=0.01,
            poll_seconds=poll_seconds,
            wake=lambda: self.woken.append(None),
        )
        self.fetcher = RevisionFetcher(world, makers.US)

    def view(self, memory: Memory | None = None) -> Revisions:
        reading = self.fetcher.revisions(memory or Memory())
        assert isinstance(reading, Seen), reading.why
        return reading.view


def test_a_repository_that_hangs_at_the_start_is_used_as_fetched_before(
    scene: Scenery, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = Beside(scene, monkeypatch)
    began = time.monotonic()
    first = beside.view()
    assert time.monotonic() - began < 1
    assert (first.fetched_at, first.stale) == (0, "")

    scene.clock.seconds += LATE_SECONDS
    assert beside.view().stale == "the repository has not answered for more than 30 s"
    beside.answer.set()
    wait_for(lambda: beside.fetcher.revisions(Memory()), lambda x: isinstance(x, Seen) and not x.view.stale)
    assert beside.view().fetched_at >= makers.NOW


def test_a_new_commit_wakes_the_loop(scene: Scenery, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = Beside(scene, monkeypatch, poll_seconds=0)
    beside.answer.set()
    wait_for(
        lambda: beside.fetcher.revisions(Memory()), lambda x: isinstance(x, Seen) and x.view.fetched_at > 0
    )
    woken = len(beside.woken)
    for _ in range(5):
        beside.view()
        time.sleep(0.01)
    assert len(beside.woken) == woken
    monkeypatch.setattr(MemoryRepo, "commit", replace(scene.repo.commit, id="d" * 40))
    wait_for(
        lambda: beside.fetcher.revisions(Memory()),
        lambda x: isinstance(x, Seen) and x.view.newest.desired.commit == "d" * 40,
    )
    assert len(beside.woken) == woken + 1


def test_the_newest_is_the_only_one_once_it_is_in_force(
    scene: Scenery, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = replace(scene.repo.commit, descends=False, superseded=(CommitHeader("e" * 40),))
    monkeypatch.setattr(scene.repo, "fetch", lambda applied: Seen((newest, replace(newest, id="a" * 40))))
    fetcher = RevisionFetcher(replace(scene.world, poll_seconds=30), makers.US)

    before = fetcher.revisions(Memory(applied="a" * 40))
    after = fetcher.revisions(Memory(applied=newest.id))

    assert isinstance(before, Seen)
    assert isinstance(after, Seen)
    assert before.view.applied is not None
    assert before.view.newest.superseded
    assert (after.view.applied, after.view.newest.superseded, after.view.newest.descends) == (None, (), True)


def test_a_read_for_an_earlier_commit_in_force_is_not_used(
    scene: Scenery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its "applied" revision would roll back the one that came into force meanwhile."""
    beside = Beside(scene, monkeypatch, poll_seconds=1)
    old, newer, newest = "a" * 40, scene.repo.commit, replace(scene.repo.commit, id="d" * 40)
    scene.repo.recalled = Seen((newer, replace(newer, id=old)))
    first = beside.view(Memory(applied=old))
    assert (first.newest.desired.commit, first.applied and first.applied.desired.commit) == (newer.id, old)

    scene.repo.silent = Seen((newest, replace(newer, id=old)))  # the read that hangs will answer this
    beside.answer.set()
    wait_until(
        lambda: beside.fetcher._running is not None and beside.fetcher._running.result.done(), "it ended"
    )
    scene.repo.silent = Seen((newest, newer))
    beside.answer.clear()  # the next read hangs again
    second = beside.view(Memory(applied=newer.id))
    beside.answer.set()
    assert (second.newest.desired.commit, second.applied) == (newer.id, None)


def test_a_clock_that_is_set_back_delays_no_fetch(scene: Scenery) -> None:
    environment = replace(scene.world, poll_seconds=15)
    fetcher = RevisionFetcher(environment, makers.US)
    fetcher.revisions(Memory())
    scene.clock.seconds -= 100_000
    scene.calls.clear()

    fetcher.revisions(Memory())

    assert scene.calls == ["fetch"]
