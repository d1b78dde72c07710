"""Runs of the scenario: a reference run that records every kill point, and runs after a kill."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reconciler.cycle.run import Cycle
from reconciler.journal.database import NAME
from reconciler.values.limits import Limits
from reconciler.values.observed import Market
from reconciler.values.readings import Unseen
from tests.simulation.daemon import Daemon
from tests.simulation.footprint import BRANCH, Footprint, footprint
from tests.simulation.kill_points import Changes, EffectProxy, Point
from tests.simulation.outside import Outside, WorldState
from tests.simulation.scenario import Scenario
from tests.simulation.wallet import assert_booked
from tests.stepped_queues import SteppedQueues

QUIET_CYCLES = 3
SPENDING = {"adapter", "chain", "cluster", "intents", "notifier"}
"""Ports whose effects cost money, run containers or notify tenants."""

LONGEST = 130
"""A run that has not ended by this height is stuck."""

Visit = Callable[[Scenario, Cycle], bool]
State = tuple[object, ...]


@dataclass(slots=True)
class Kill:
    """One state of the world in which a daemon may die, and every point at which the world is in it.

    `bare` is equal for states that differ by nothing but the journal.
    """

    moment: WorldState
    height: int
    acts_done: int
    ran_seconds: int
    bare: tuple[object, ...]
    points: list[Point] = field(default_factory=list)

    def scenario(self, outside: Outside) -> Scenario:
        """The scenario at this point."""
        return Scenario(outside, self.acts_done, self.ran_seconds)


@dataclass(frozen=True, slots=True)
class Reference:
    """The run without a kill: its kill points, its state after each height's cycle, its footprint."""

    kills: tuple[Kill, ...]
    states: dict[int, State]
    footprint: Footprint
    silent: frozenset[str]
    ended_at: int

    def kills_at(self, effect: tuple[str, str], *, sampled: bool = False) -> list[tuple[int, Kill]]:
        """The kills at an effect, with their positions: all of those that cost money or touch machines, of
        the others, which occur in each cycle, every sixth; every tenth of all where `sampled`; all of them
        with KILLS=all.
        """
        found = [
            (at, kill)
            for at, kill in enumerate(self.kills)
            if effect in {(point.port, point.method) for point in kill.points}
        ]
        if os.environ.get("KILLS") == "all":
            return found
        if sampled:
            return found[::10]
        return found if effect[0] in SPENDING else found[::6]


def live(
    daemon: Daemon, scenario: Scenario, visit: Visit = lambda _stage, _cycle: False, at_least: int = 0
) -> bool:
    """Cycle, let the others act, make a block; until the story is over, all is quiet and a height is reached,
    or the visitor says that it has seen enough (then true).
    """
    quiet, outside = 0, scenario.outside
    while quiet < QUIET_CYCLES or outside.height < at_least:
        assert outside.height < LONGEST, f"act {scenario.done} of the story is never done"
        cycle = daemon.cycle()
        scenario.act()
        if visit(scenario, cycle):
            return True
        quiet = quiet + 1 if scenario.over and is_quiet(cycle) else 0
        outside.step()
        scenario.watch()
    return False


def is_quiet(cycle: Cycle) -> bool:
    """Whether nothing was done, is in flight or is unpublished."""
    inputs = cycle.planned.inputs
    return not (cycle.planned.plan.actions or inputs.intents or inputs.in_flight or cycle.publish_pending)


def record(directory: Path) -> Reference:
    """Run the scenario once, and keep the world at each kill point."""
    outside = Outside(directory / "reference").begin()
    scenario, kills = Scenario(outside), dict[tuple[object, ...], Kill]()
    states: dict[int, State] = {}
    changes = Changes(outside)

    def reached(point: Point) -> None:
        token = changes.token()
        if token not in kills:
            kept = outside.capture(directory / f"kill-{len(kills)}")
            kills[token] = Kill(kept, outside.height, scenario.done, scenario.ran_seconds, token[1:])
        kills[token].points.append(point)

    def visit(scenario: Scenario, cycle: Cycle) -> bool:
        states[outside.height] = state_of(scenario, cycle)
        return False

    tap = EffectProxy(reached, changes)
    daemon = Daemon(outside, tap, make_queues=SteppedQueues)
    tap.watch_requests(daemon.adapter)
    try:
        live(daemon, scenario, visit)
        left = footprint(scenario)
    finally:
        changes.close()
        daemon.drop()
        outside.close()
    return Reference(tuple(kills.values()), states, left, frozenset(tap.silent), outside.height)


@dataclass(frozen=True, slots=True)
class Survival:
    """The outcome of a killed run: equal to the reference at a height, or run to its end."""

    joined_at: int
    footprint: Footprint | None


def survive(reference: Reference, kill: Kill, directory: Path) -> Survival:
    """Start a daemon where another was killed. As soon as its world and its journal equal the reference's at
    the same height, what follows is the same, and is not run again.
    """
    outside = Outside.at(kill.moment, directory)
    scenario, daemon = kill.scenario(outside), Daemon(outside, make_queues=SteppedQueues)
    try:
        if live(daemon, scenario, lambda s, c: reference.states.get(outside.height) == state_of(s, c)):
            joined = Survival(outside.height, None)
        else:
            joined = Survival(0, footprint(scenario))
        assert_booked(outside)
        return joined
    finally:
        daemon.drop()
        outside.close()
        shutil.rmtree(directory)


def forget(kill: Kill, directory: Path, *, publishing: bool) -> Scenario:
    """Start a daemon after a kill without the journal; the world at the end."""
    outside = Outside.at(kill.moment, directory)
    for path in outside.state.glob(f"{NAME}*"):
        path.unlink()
    scenario, daemon = kill.scenario(outside), Daemon(outside, publishing=publishing)
    try:
        live(daemon, scenario, at_least=kill.height + Limits().timeout_blocks + QUIET_CYCLES)
        return scenario
    finally:
        daemon.drop()
        outside.close()


def state_of(scenario: Scenario, cycle: Cycle) -> State:
    """The state that determines the rest of a run: chain and view, cluster, branches, journal, effects in
    flight, steps done.
    """
    outside = scenario.outside
    blocks = tuple(tx.hash for block in outside.chain.ledger for tx in block.txs)
    return (
        outside.height,
        blocks,
        tuple(outside.chain.mempool.waiting),
        _view(cycle),
        _objects(outside),
        outside.object_counts,
        outside.commits.content("main"),
        outside.commits.content(BRANCH),
        outside.notices.keys(),
        outside.page.shown(),
        _journal(outside.state / NAME),
        tuple((queue.target, queue.queued) for queue in cycle.snapshot.queues if queue.queued),
        scenario.done,
    )


def _view(cycle: Cycle) -> Market | None:
    """The chain as the daemon saw it, but for what depends on when it looked last, and for the reasons of
    closings, which events alone tell (semantics 3.8).
    """
    reading = cycle.planned.inputs.market
    if isinstance(reading, Unseen):
        return None
    leases = {key: replace(each, closed_reason="") for key, each in reading.view.leases.items()}
    return replace(reading.view, leases=leases, tx_results={}, transfers=(), signed=())


def _objects(outside: Outside) -> list[Any]:
    """The cluster's objects without their versions."""
    found = []
    for plural in ("namespaces", "resourcequotas", "networkpolicies", "deployments", "services"):
        for each in outside.cluster.objects(plural):
            metadata = each["metadata"]
            found.append((plural, metadata["name"], metadata.get("labels"), each.get("spec")))
    return found


def _journal(path: Path) -> dict[str, list[Any]]:
    """The journal's state that a daemon reads at its start, without the record of decisions."""
    questions = {
        "memory": "SELECT section, key, content FROM memory ORDER BY section, key",
        "open": "SELECT content FROM intents WHERE outcome IS NULL ORDER BY position",
        "results": "SELECT content FROM results ORDER BY id",
        "outbox": "SELECT content FROM outbox ORDER BY id",
        "states": "SELECT content FROM facts WHERE name = 'commit_states'",
        "totals": "SELECT name, amount FROM totals ORDER BY name",
    }
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return {name: connection.execute(sql).fetchall() for name, sql in questions.items()}
