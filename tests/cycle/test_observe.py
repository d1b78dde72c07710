"""Looking: a source that fails spoils no other, and nothing is read twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from reconciler.cycle.observe import Observer
from reconciler.documents.desired import DesiredReader
from reconciler.values.desired import Revisions
from reconciler.values.ids import workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import Memory, UsageMemory, WorkloadMemory
from reconciler.values.observed import AdapterView
from reconciler.values.readings import Reading, Seen, Unseen
from tests import makers
from tests.cycle.worlds import MemoryRepo, Scenery, intent


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
    observer = Observer(scene.world, makers.US)
    desired, seen = observer.fetch_revisions(Memory()), observer.observe(Memory(), ())

    assert isinstance(desired, Seen)
    newest = desired.view.newest.desired
    assert newest.pricing is not None
    assert newest.commit == scene.repo.commit.id
    assert isinstance(seen.market, Seen)
    assert isinstance(seen.adapters["kubernetes"].workloads, Seen)


def test_a_file_that_did_not_change_is_not_read_again(scene: Scenery) -> None:
    observer = Observer(scene.world, makers.US)
    observer.fetch_revisions(Memory())
    scene.calls.clear()

    observer.fetch_revisions(Memory())

    assert scene.calls == ["fetch"]


def test_a_silent_repository_goes_on_as_it_was_last_read_and_says_why(scene: Scenery) -> None:
    scene.repo.silent = Unseen("the server does not answer")

    desired = Observer(scene.world, makers.US).fetch_revisions(Memory())

    assert isinstance(desired, Seen)
    assert desired.view.stale == "the server does not answer"
    assert desired.view.newest.desired.pricing is not None


def test_a_repository_that_was_never_read_is_unseen_for_its_own_reason(scene: Scenery) -> None:
    scene.repo.silent, scene.repo.recalled = Unseen("no such host"), Unseen("never read")

    assert Observer(scene.world, makers.US).fetch_revisions(Memory()) == Unseen("no such host")


def test_the_chain_is_asked_for_intents_and_for_leases_that_anything_refers_to(scene: Scenery) -> None:
    remembered, billed, runs = makers.lease_id(1), makers.lease_id(2), makers.workload(3)
    scene.adapter.view = makers.adapter(makers.running(runs))["kubernetes"]
    memory = Memory(
        workloads={workload_id(remembered): WorkloadMemory(remembered, "kubernetes", Phase.RUNNING)},
        usage={billed: UsageMemory(makers.NOW)},
    )

    Observer(scene.world, makers.US).observe(memory, (intent(),))

    hashes, known = scene.chain.asked
    assert (hashes, set(known)) == ((intent().hash,), {remembered, billed, runs.lease})


def test_an_adapter_that_fails_spoils_no_chain(scene: Scenery) -> None:
    scene.adapter.view = AdapterView(Unseen("refused"), Unseen("refused"))

    seen = Observer(scene.world, makers.US).observe(Memory(), ())

    assert isinstance(seen.market, Seen)
    assert seen.adapters["kubernetes"].workloads == Unseen("refused")


def test_an_adapter_that_raises_spoils_no_chain(scene: Scenery, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> AdapterView:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(scene.adapter, "observe", broken)

    seen = Observer(scene.world, makers.US).observe(Memory(), ())

    assert isinstance(seen.market, Seen)
    assert seen.adapters["kubernetes"].workloads == Unseen(
        "it could not be observed: RuntimeError: two lines"
    )


def test_a_large_commit_is_parsed_beside_the_loop(scene: Scenery, monkeypatch: pytest.MonkeyPatch) -> None:
    observer = Observer(replace(scene.world, parse_wait_seconds=0.01), makers.US)
    held, desired = Event(), DesiredReader.desired

    def slow(*args: Any) -> Any:
        assert held.wait(30)
        return desired(*args)

    monkeypatch.setattr(DesiredReader, "desired", slow)
    first = observer.fetch_revisions(Memory())
    second = observer.fetch_revisions(Memory())
    held.set()
    read = wait_for(lambda: observer.fetch_revisions(Memory()), is_whole)

    assert isinstance(first, Unseen)
    assert "is being parsed" in first.why
    assert second == first
    assert isinstance(read, Seen)
    assert scene.calls.count("read pricing.yaml") == 1


def test_meanwhile_the_last_one_counts(scene: Scenery, monkeypatch: pytest.MonkeyPatch) -> None:
    observer = Observer(replace(scene.world, parse_wait_seconds=0.01), makers.US)
    before = wait_for(lambda: observer.fetch_revisions(Memory()), is_whole)
    held, desired = Event(), DesiredReader.desired

    def broken(*args: Any) -> Any:
        assert held.wait(30)
        raise RuntimeError("odd")

    monkeypatch.setattr(DesiredReader, "desired", broken)
    newer = replace(scene.repo.commit, id="d" * 40, files={"config.yaml": "another"})
    monkeypatch.setattr(MemoryRepo, "commit", newer)
    scene.repo.files["another"] = b"bidding: {enabled: false}\n"
    meanwhile = observer.fetch_revisions(Memory())
    held.set()

    assert isinstance(before, Seen)
    assert isinstance(meanwhile, Seen)
    assert meanwhile.view.newest == before.view.newest
    assert meanwhile.view.stale.startswith(f"commit {scene.repo.commit.id[:12]} is being parsed")
    with pytest.raises(RuntimeError, match="odd"):
        wait_for(lambda: observer.fetch_revisions(Memory()), lambda reading: False)

    monkeypatch.setattr(DesiredReader, "desired", desired)
    after = wait_for(lambda: observer.fetch_revisions(Memory()), is_whole)
    assert isinstance(after, Seen)
    assert after.view.newest != before.view.newest
