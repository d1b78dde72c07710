"""Several commits between two reads of the daemon, or in one push: each has a history row and a state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.values.limits import Limits
from tests.git.forge import Forge
from tests.simulation.commits import pricing
from tests.simulation.daemon import Daemon, untouched
from tests.simulation.kill_points import EffectProxy, Killed, Point
from tests.simulation.outside import Outside, WorldState
from tests.simulation.sim import Simulation, started

LIMITS = Limits(price_change_percent=20)


@pytest.fixture
def world(mid_run: WorldState, tmp_path: Path) -> Outside:
    return Outside.at(mid_run, tmp_path / "world")


@pytest.fixture
def sim(world: Outside) -> Iterator[Simulation]:
    with started(world, lambda: LIMITS) as made:
        made.blocks(1)
        yield made


@pytest.fixture
def olga(sim: Simulation, tmp_path: Path) -> Forge:
    clone = Forge(tmp_path / "olga")
    clone.path.mkdir()
    clone.git("clone", "--quiet", str(sim.outside.commits.repository), ".")
    return clone


def push(olga: Forge) -> None:
    olga.git("push", "--quiet", "origin", "main")


def rows(sim: Simulation, *commits: str) -> list[tuple[str, str, bool]]:
    """Subject, verdict and end of every row of these commits, the newest first."""
    past = sim.daemon.journal.records.revisions(99)
    found = [each for each in past if each.revision_verdict.commit in commits]
    return [
        (each.revision_verdict.subject, each.revision_verdict.verdict.value, bool(each.ended_at))
        for each in found
    ]


def states(sim: Simulation, commit: str) -> list[str]:
    """The states that the forge received for a commit, in order."""
    lines = sim.outside.page.lines()
    return [line.removeprefix(f"{commit} ") for line in lines if line.startswith(commit)]


def test_two_pushes_between_two_cycles(sim: Simulation, olga: Forge) -> None:
    one = olga.commit("One", pricing_yaml=pricing("1.1"))
    push(olga)
    two = olga.commit("Two", pricing_yaml=pricing("1.05"))
    push(olga)
    sim.blocks(3)
    assert sim.last.planned.plan.revision == two
    assert rows(sim, one, two) == [("Two", "applied", False), ("One", "superseded", True)]
    assert states(sim, one) == [f"success superseded by {two[:12]}: applied"]
    assert states(sim, two) == ["success applied"]


def test_three_commits_in_one_push_and_a_restart(sim: Simulation, olga: Forge) -> None:
    made = [
        olga.commit(subject, pricing_yaml=pricing("1.1"), note=subject) for subject in ("One", "Two", "Three")
    ]
    push(olga)
    sim.blocks(2)
    before = rows(sim, *made), [states(sim, each) for each in made]
    assert before[0] == [
        ("Three", "applied", False),
        ("Two", "superseded", True),
        ("One", "superseded", True),
    ]
    assert [len(each) for each in before[1]] == [1, 1, 1]
    restart(sim)
    sim.blocks(2)
    assert (rows(sim, *made), [states(sim, each) for each in made]) == before


def test_a_held_newest_commit_leaves_the_earlier_ones_pending(sim: Simulation, olga: Forge) -> None:
    one = olga.commit("One", pricing_yaml=pricing("1.1"))
    jump = olga.commit("Jump", pricing_yaml=pricing("9"))
    push(olga)
    sim.blocks(2)
    restart(sim)
    sim.blocks(2)
    assert sim.last.planned.plan.revision not in (one, jump)
    assert rows(sim, one, jump) == [("Jump", "held", False), ("One", "superseded", True)]
    waits = f"pending superseded by {jump[:12]} before it was applied"
    assert states(sim, one) == [waits]
    assert [line.split(" ")[0] for line in states(sim, jump)] == ["pending"]

    back = olga.commit("Back", pricing_yaml=pricing("1.1"))
    push(olga)
    sim.blocks(3)
    assert rows(sim, one, jump, back) == [
        ("Back", "applied", False),
        ("Jump", "held", True),
        ("One", "superseded", True),
    ]
    assert states(sim, one) == [waits, f"success superseded by {back[:12]}: applied"]
    assert states(sim, jump)[-1] == f"pending followed by {back[:12]} before it was applied"


def test_a_kill_after_the_newest_commit_is_recorded_as_applied(sim: Simulation, olga: Forge) -> None:
    """The repository no longer names the superseded commits then, so their states are stored before."""
    one = olga.commit("One", pricing_yaml=pricing("1.1"))
    two = olga.commit("Two", pricing_yaml=pricing("1.05"))
    push(olga)

    def reached(point: Point) -> None:
        if point == Point("journal", "remember", 1, after=True):
            raise Killed

    restart(sim, EffectProxy(reached))
    with pytest.raises(Killed):
        sim.blocks(1)
    restart(sim)
    sim.blocks(3)
    assert states(sim, one) == [f"success superseded by {two[:12]}: applied"]
    assert rows(sim, one, two) == [("Two", "applied", False), ("One", "superseded", True)]


def restart(sim: Simulation, tap: Callable[[str, Any], Any] = untouched) -> None:
    """Kill the daemon and open it again on the same state."""
    sim.daemon.drop()
    sim.daemon = Daemon(sim.outside, tap, limits=lambda: LIMITS)
