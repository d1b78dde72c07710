"""A world in play for one test: the middle of the story, with troubles to come."""

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
from tests.simulation.outside import Moment, Outside
from tests.simulation.script import Stage

MIDDLE = 17
"""Two workloads run, nothing was withdrawn or billed yet."""


class Play:
    """A world, a daemon in it, and those who act."""

    def __init__(self, outside: Outside, limits: Callable[[], Limits] = Limits, done: int = 0) -> None:
        self.outside = outside
        self.stage = Stage(outside, done)
        self.daemon = Daemon(outside, limits=limits)
        self.cycles: list[Cycle] = []

    @property
    def last(self) -> Cycle:
        """The cycle that was run last."""
        return self.cycles[-1]

    def blocks(self, count: int, *, settled: bool = True) -> list[Action]:
        """So many cycles, each followed by a block; what they did. The story does not go on by itself."""
        done: list[Action] = []
        for _ in range(count):
            self.cycles.append(self.daemon.cycle() if settled else self.daemon.runner.cycle())
            done += self.last.planned.plan.actions
            self.outside.step()
        return done

    def sent(self) -> list[Sent]:
        """Our messages that blocks have executed."""
        return messages(self.outside)

    def holds(self, *reasons: Reason) -> list[Hold]:
        """The last cycle's holds for these reasons."""
        return [hold for hold in self.last.planned.plan.holds if hold.reason in reasons]

    def cluster_seen(self, wanted: bool) -> None:
        """Wait until the adapter sees its workloads, or no longer does."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while isinstance(self.daemon.adapter.look().workloads, Seen) is not wanted:
            assert time.monotonic() < ends, f"the adapter never {'saw' if wanted else 'lost sight of'} it"
            time.sleep(0.01)

    def close(self) -> None:
        """End both."""
        self.daemon.drop()
        self.outside.close()


def removals(actions: list[Action]) -> list[Action]:
    """Those that take a workload away."""
    return [each for each in actions if isinstance(each, RemoveWorkload)]


def middle(directory: Path) -> Moment:
    """The story up to its middle, and the acts done by then."""
    play = Play(Outside(directory / "played").begin())
    try:
        while play.outside.height < MIDDLE:
            play.cycles.append(play.daemon.cycle())
            play.stage.act()
            play.outside.step()
        return play.outside.capture(directory / "middle")
    finally:
        play.close()


@contextmanager
def played(outside: Outside, limits: Callable[[], Limits] = Limits) -> Iterator[Play]:
    """A play that is closed in the end."""
    play = Play(outside, limits)
    try:
        yield play
    finally:
        play.close()


def calm(play: Play) -> None:
    """From now on nothing falls due for a day."""
    text = CONFIG.replace("every: 8s", "every: 24h").replace("every: 9s", "every: 24h")
    play.outside.commits.commit("Calm", {"config.yaml": text})
