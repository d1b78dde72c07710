"""Looking: a source that fails spoils no other, and nothing is read twice."""

from __future__ import annotations

import pytest

from reconciler.cycle.observe import GAP_SECONDS, Observer
from reconciler.values.ids import workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import LedgerGap, Memory, UsageMemory, WalletLedger, WorkloadMemory
from reconciler.values.observed import AdapterView
from reconciler.values.readings import Seen, Unseen
from tests import makers
from tests.cycle.worlds import Scenery, intent


def test_everything_is_read_once(scene: Scenery) -> None:
    seen = Observer(scene.world).observe(Memory(), ())

    assert isinstance(seen.market, Seen)
    assert isinstance(seen.adapters["kubernetes"].workloads, Seen)


def test_the_chain_is_queried_for_intents_and_referenced_leases(scene: Scenery) -> None:
    remembered, billed, runs = makers.lease_id(1), makers.lease_id(2), makers.workload(3)
    scene.adapter.view = makers.adapter(makers.running(runs))["kubernetes"]
    memory = Memory(
        workloads={workload_id(remembered): WorkloadMemory(remembered, "kubernetes", Phase.RUNNING)},
        usage={billed: UsageMemory(makers.NOW)},
    )

    Observer(scene.world).observe(memory, (intent(),))

    hashes, known = scene.chain.asked
    assert (hashes, set(known)) == ((intent().hash,), {remembered, billed, runs.lease})


def test_a_failing_adapter_does_not_affect_the_chain(scene: Scenery) -> None:
    scene.adapter.view = AdapterView(Unseen("refused"), Unseen("refused"))

    seen = Observer(scene.world).observe(Memory(), ())

    assert isinstance(seen.market, Seen)
    assert seen.adapters["kubernetes"].workloads == Unseen("refused")


def test_an_adapter_that_raises_leaves_the_chain_alone(
    scene: Scenery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> AdapterView:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(scene.adapter, "observe", broken)

    seen = Observer(scene.world).observe(Memory(), ())

    assert isinstance(seen.market, Seen)
    assert seen.adapters["kubernetes"].workloads == Unseen(
        "it could not be observed: RuntimeError: two lines"
    )


def test_equal_objects_of_a_later_view_are_the_same_objects(scene: Scenery) -> None:
    """An adapter that reads its hosts again makes new objects, about which nothing is to be decided again."""

    def view(*replicas: int) -> AdapterView:
        there = [makers.running(makers.workload(n), replicas=count) for n, count in enumerate(replicas, 1)]
        return makers.adapter(*there)["kubernetes"]

    observer = Observer(scene.world)
    looks = []
    for shown in (view(1, 1), view(1, 1), view(1, 2)):
        scene.adapter.view = shown
        looks.append(observer.observe(Memory(), ()).adapters["kubernetes"])
    first, again, changed = looks
    assert again.workloads is first.workloads
    assert again.capacity is first.capacity
    assert isinstance(first.workloads, Seen)
    assert isinstance(changed.workloads, Seen)
    assert changed == view(1, 2)
    same = [changed.workloads.view[name] is each for name, each in first.workloads.view.items()]
    assert same == [True, False]


def test_a_gap_that_the_node_does_not_have_does_not_keep_the_others_open(scene: Scenery) -> None:
    observer = Observer(scene.world)
    ledger = WalletLedger(gaps=(LedgerGap(1, 5, 10, 10), LedgerGap(11, 15, 10, 10)))
    for found in (None, None, None, (), (), ()):
        scene.chain.found = found
        observer.observe(Memory(ledger=ledger), ())
        scene.clock.seconds += GAP_SECONDS
    read = [call.removeprefix("transfers ") for call in scene.calls if call.startswith("transfers")]
    assert read[:3] == ["1 to 5", "11 to 12", "1 to 1"], "fewer blocks after each failure"
    assert read[3:] == ["11 to 11", "1 to 2", "11 to 14"], "more after each success"
