"""One turn of the loop, as the invariants see it, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from reconciler.cycle.run import Cycle
from reconciler.values.intents import Intent
from reconciler.values.ledger import BookedEntry
from reconciler.values.limits import Limits
from reconciler.values.snapshot import Snapshot
from tests.simulation.seeded import disorder
from tests.simulation.seeded.world import World

GRACE_SECONDS, GRACE_TURNS = 4_000, 14
"""The deadline of repairs once the world is well: the longest back-off, and some cycles."""


class ViolationError(AssertionError):
    """An invariant does not hold."""

    def __init__(self, invariant: str, why: str) -> None:
        super().__init__(f"{invariant}: {why}")
        self.invariant = invariant
        self.steps_done = 0
        """Steps until then."""


@dataclass(slots=True)
class Turn:
    """One turn of the loop: its cycle (None: there was none, or it failed), and the open intents and the
    ledger of the daemon's journal.
    """

    world: World
    limits: Limits
    cycle: Cycle | None
    intents: tuple[Intent, ...]
    ledger: Callable[[], tuple[BookedEntry, ...]] = tuple
    error: Exception | None = None


class Invariant:
    """A rule; `check` yields what breaks it after a turn."""

    def check(self, turn: Turn) -> Iterator[str]:
        """What breaks it now."""
        raise NotImplementedError


@dataclass(slots=True)
class Deadline:
    """Since when something is overdue, in seconds and in cycles of a well world."""

    since: dict[str, tuple[int, int]] = field(default_factory=dict)
    turns: int = 0

    def overdue(self, turn: Turn, names: set[str]) -> Iterator[str]:
        """The names that have been there for too long; called once in each turn."""
        self.turns += 1
        if not disorder.is_well(turn.world) or turn.cycle is None:
            self.since.clear()
            return
        self.since = {name: since for name, since in self.since.items() if name in names}
        for name in sorted(names):
            began, first = self.since.setdefault(name, (turn.world.chain.seconds, self.turns))
            if turn.world.chain.seconds - began > GRACE_SECONDS and self.turns - first > GRACE_TURNS:
                yield name


def seen_now(turn: Turn) -> Snapshot | None:
    """The snapshot of a cycle that saw the chain; None if it did not."""
    if turn.cycle is None or turn.cycle.planned.inputs.seen_market is None:
        return None
    return turn.cycle.snapshot
