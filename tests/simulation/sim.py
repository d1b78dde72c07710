"""A world in sim for one test: the middle of the story, with troubles to come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.cycle.run import Cycle
from reconciler.values.limits import Limits
from reconciler.values.plans import Action, Hold, Reason, RemoveWorkload
from reconciler.values.readings import Seen
from tests.simulation.commits import CONFIG
from tests.simulation.daemon import PATIENCE_SECONDS, Daemon
from tests.simulation.footprint import Sent, messages
from tests.simulation.outside import Outside, WorldState
from tests.simulation.scenario import Scenario

MIDDLE = 17
"""Two workloads run, and nothing was withdrawn or billed yet."""


class Simulation:
    """A world, a daemon in it, and the scenario's actors."""

    def __init__(self, outside: Outside, limits: Callable[[], Limits] = Limits, done: int = 0) -> None:
        self.outside = outside
        self.scenario = Scenario(outside, done)
        self.daemon = Daemon(outside, limits=limits)
        self.cycles: list[Cycle] = []

    @property
    def last(self) -> Cycle:
        """The last cycle."""
        return self.cycles[-1]

    def blocks(self, count: int, *, settled: bool = True) -> list[Action]:
        """Run cycles, each followed by a block, without scenario steps; their actions."""
        done: list[Action] = []
        for _ in range(count):
            self.cycles.append(self.daemon.cycle() if settled else self.daemon.runner.run_cycle())
            done += self.last.planned.plan.actions
            self.outside.step()
        return done

    def sent(self) -> list[Sent]:
        """Our executed messages."""
        return messages(self.outside)

    def holds(self, *reasons: Reason) -> list[Hold]:
        """The last cycle's holds of these reasons."""
        return [hold for hold in self.last.planned.plan.holds if hold.reason in reasons]

    def cluster_seen(self, wanted: bool) -> None:
        """Wait until the adapter sees its workloads, or does not."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while isinstance(self.daemon.adapter.observe().workloads, Seen) is not wanted:
            assert time.monotonic() < ends, f"the adapter never {'saw' if wanted else 'lost sight of'} it"
            time.sleep(0.01)

    def close(self) -> None:
        """End both."""
        self.daemon.drop()
        self.outside.close()


def removals(actions: list[Action]) -> list[Action]:
    """The actions that remove a workload."""
    return [each for each in actions if isinstance(each, RemoveWorkload)]


def middle(directory: Path) -> WorldState:
    """The world after the first half of the scenario."""
    sim = Simulation(Outside(directory / "started").begin())
    try:
        while sim.outside.height < MIDDLE:
            sim.cycles.append(sim.daemon.cycle())
            sim.scenario.act()
            sim.outside.step()
        return sim.outside.capture(directory / "middle")
    finally:
        sim.close()


@contextmanager
def started(outside: Outside, limits: Callable[[], Limits] = Limits) -> Iterator[Simulation]:
    """A sim that is closed in the end."""
    sim = Simulation(outside, limits)
    try:
        yield sim
    finally:
        sim.close()


def calm(sim: Simulation) -> None:
    """Commit settings with which nothing is due for a day."""
    text = CONFIG.replace("every: 8s", "every: 24h").replace("every: 12s", "every: 24h")
    sim.outside.commits.commit("Calm", {"config.yaml": text})
