"""Adapters start, change and end while the daemon runs, and no cycle waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from reconciler.adapters.adapter_set import AdapterSet, UnavailableAdapter
from reconciler.values.observed import AdapterView
from reconciler.values.outcomes import Failed
from reconciler.values.readings import Seen, Unseen
from tests.makers import ROOM, adapter, workload
from tests.waiting import wait_until

SECONDS = 10.0


@dataclass
class Machines:
    """Adapters made of a target's text; `gate` holds their ends and first observations."""

    gate: threading.Event = field(default_factory=threading.Event)
    log: list[str] = field(default_factory=list)
    woken: threading.Event = field(default_factory=threading.Event)
    ending: threading.Event = field(default_factory=threading.Event)
    broken: bool = False

    def __post_init__(self) -> None:
        self.gate.set()

    def create(self, target: str) -> UnavailableAdapter:
        if self.broken:
            raise OSError("no room")
        return Fake(self, target)


class Fake(UnavailableAdapter):
    def __init__(self, machines: Machines, target: str) -> None:
        super().__init__(target)
        self.target, self._machines = target, machines

    def start(self) -> None:
        self._machines.log.append(f"start {self.target}")

    def close(self) -> None:
        self._machines.ending.set()
        self._machines.gate.wait(SECONDS)
        self._machines.log.append(f"close {self.target}")

    def observe(self) -> AdapterView:
        self._machines.gate.wait(SECONDS)
        return adapter()["kubernetes"]


@pytest.fixture
def machines() -> Machines:
    return Machines()


@pytest.fixture
def adapters(machines: Machines) -> Iterator[AdapterSet[str]]:
    made = AdapterSet(machines.create, machines.woken.set)
    yield made
    machines.gate.set()
    made.close()


def is_seen(adapters: AdapterSet[str], name: str) -> bool:
    return not isinstance(adapters[name].observe().workloads, Unseen)


def test_the_first_adapters_are_there_at_once(machines: Machines, adapters: AdapterSet[str]) -> None:
    adapters.configure({"east": "e1", "west": "w1"})
    assert (list(adapters), len(adapters), "north" in adapters) == (["east", "west"], 2, False)
    assert all(is_seen(adapters, name) for name in adapters)
    adapters.configure({"east": "e1", "west": "w1"})
    assert machines.log == ["start e1", "start w1"], "an equal target changes nothing"


def test_a_change_replaces_one_adapter_and_waits_for_none(
    machines: Machines, adapters: AdapterSet[str]
) -> None:
    adapters.configure({"east": "e1", "west": "w1"})
    machines.gate.clear()  # the old one does not end
    adapters.configure({"east": "e2", "west": "w1"})
    east = adapters["east"]
    assert isinstance(east.observe().workloads, Unseen)
    assert isinstance(east.apply(workload(), "digest"), Failed)
    assert isinstance(east.prepare(ROOM), Failed)
    assert isinstance(east.remove(workload().id), Failed)
    with pytest.raises(OSError, match="applies its new settings"):
        east.logs(workload().id, 1)
    assert machines.log == ["start e1", "start w1"], "the new one does not begin beside the old one"
    machines.gate.set()
    wait_until(lambda: is_seen(adapters, "east"), "the new adapter")
    assert machines.log == ["start e1", "start w1", "close e1", "start e2"]
    assert machines.woken.wait(SECONDS)


def test_the_newest_of_many_changes_counts(machines: Machines, adapters: AdapterSet[str]) -> None:
    adapters.configure({"east": "e1"})
    machines.gate.clear()
    adapters.configure({"east": "e2"})
    assert machines.ending.wait(SECONDS)
    adapters.configure({"east": "e3"})
    adapters.configure({"east": "e4"})
    machines.gate.set()
    wait_until(lambda: "start e4" in machines.log and is_seen(adapters, "east"), "the newest")
    assert "start e3" not in machines.log


def test_one_that_is_no_longer_named_ends_and_one_that_is_new_begins(
    machines: Machines, adapters: AdapterSet[str]
) -> None:
    adapters.configure({"east": "e1"})
    machines.gate.clear()
    adapters.configure({"west": "w1"})
    assert list(adapters) == ["west"]
    with pytest.raises(KeyError):
        adapters["east"]
    machines.gate.set()
    wait_until(lambda: "close e1" in machines.log and is_seen(adapters, "west"), "both")


def test_one_that_cannot_begin_is_tried_again(
    machines: Machines, adapters: AdapterSet[str], caplog: pytest.LogCaptureFixture
) -> None:
    machines.broken = True
    adapters.configure({"east": "e1"})
    view = adapters["east"].observe().workloads
    assert isinstance(view, Unseen)
    assert view.why == "adapter east cannot start: no room; retried in the next cycle"
    assert view.why in caplog.messages
    machines.broken = False
    adapters.configure({"east": "e1"})
    wait_until(lambda: is_seen(adapters, "east"), "the new adapter")


def test_all_end_side_by_side(machines: Machines) -> None:
    adapters = AdapterSet(machines.create, machines.woken.set)
    adapters.configure({"east": "e1", "west": "w1"})
    adapters.close()
    assert set(machines.log[2:]) == {"close e1", "close w1"}
    assert list(adapters) == []


def test_the_first_adapters_delay_the_first_cycle_by_a_bounded_time(machines: Machines) -> None:
    adapters = AdapterSet(machines.create, machines.woken.set, first_wait_seconds=0.2)
    machines.gate.clear()
    began = time.monotonic()
    adapters.configure({"a": "one", "b": "two"})
    assert 0.15 < time.monotonic() - began < 2
    assert isinstance(adapters["a"].observe().workloads, Unseen)
    machines.gate.set()
    wait_until(lambda: isinstance(adapters["a"].observe().workloads, Seen), "it has observed its machines")
    assert machines.woken.is_set()
    adapters.close()
