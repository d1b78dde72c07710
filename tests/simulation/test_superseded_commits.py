"""Several commits between two looks of the daemon, or in one push: each has a history row and a state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.values.limits import Limits
from tests.git.forge import Forge
from tests.simulation.commits import pricing
from tests.simulation.daemon import Daemon, untouched
from tests.simulation.killing import Killed, Point, Tap
from tests.simulation.outside import Moment, Outside
from tests.simulation.playing import Play, played

LIMITS = Limits(price_change_percent=20)


@pytest.fixture
def world(midway: Moment, tmp_path: Path) -> Outside:
    return Outside.at(midway, tmp_path / "world")


@pytest.fixture
def play(world: Outside) -> Iterator[Play]:
    with played(world, lambda: LIMITS) as made:
        made.blocks(1)
        yield made


@pytest.fixture
def olga(play: Play, tmp_path: Path) -> Forge:
    clone = Forge(tmp_path / "olga")
    clone.path.mkdir()
    clone.git("clone", "--quiet", str(play.outside.commits.repository), ".")
    return clone


def push(olga: Forge) -> None:
    olga.git("push", "--quiet", "origin", "main")


def rows(play: Play, *commits: str) -> list[tuple[str, str, bool]]:
    """Subject, verdict and whether it has ended, of every row of these commits, newest first."""
    past = play.daemon.journal.records.revisions(99)
    found = [each for each in past if each.judged.commit in commits]
    return [(each.judged.subject, each.judged.verdict.value, bool(each.ended_at)) for each in found]


def states(play: Play, commit: str) -> list[str]:
    """What the forge received for a commit, in order."""
    lines = play.outside.page.lines()
    return [line.removeprefix(f"{commit} ") for line in lines if line.startswith(commit)]


def test_two_pushes_between_two_looks(play: Play, olga: Forge) -> None:
    one = olga.commit("One", pricing_yaml=pricing("1.1"))
    push(olga)
    two = olga.commit("Two", pricing_yaml=pricing("1.05"))
    push(olga)
    play.blocks(3)
    assert play.last.planned.plan.revision == two
    assert rows(play, one, two) == [("Two", "applied", False), ("One", "superseded", True)]
    assert states(play, one) == [f"success superseded by {two[:12]}: applied"]
    assert states(play, two) == ["success applied"]


def test_three_commits_in_one_push_and_a_restart(play: Play, olga: Forge) -> None:
    made = [
        olga.commit(subject, pricing_yaml=pricing("1.1"), note=subject) for subject in ("One", "Two", "Three")
    ]
    push(olga)
    play.blocks(2)
    before = rows(play, *made), [states(play, each) for each in made]
    assert before[0] == [
        ("Three", "applied", False),
        ("Two", "superseded", True),
        ("One", "superseded", True),
    ]
    assert [len(each) for each in before[1]] == [1, 1, 1]
    restart(play)
    play.blocks(2)
    assert (rows(play, *made), [states(play, each) for each in made]) == before


def test_a_held_newest_commit_leaves_the_earlier_ones_pending(play: Play, olga: Forge) -> None:
    one = olga.commit("One", pricing_yaml=pricing("1.1"))
    jump = olga.commit("Jump", pricing_yaml=pricing("9"))
    push(olga)
    play.blocks(2)
    restart(play)
    play.blocks(2)
    assert play.last.planned.plan.revision not in (one, jump)
    assert rows(play, one, jump) == [("Jump", "held", False), ("One", "superseded", True)]
    waits = f"pending superseded by {jump[:12]} before it was applied"
    assert states(play, one) == [waits]
    assert [line.split(" ")[0] for line in states(play, jump)] == ["pending"]

    back = olga.commit("Back", pricing_yaml=pricing("1.1"))
    push(olga)
    play.blocks(3)
    assert rows(play, one, jump, back) == [
        ("Back", "applied", False),
        ("Jump", "held", True),
        ("One", "superseded", True),
    ]
    assert states(play, one) == [waits, f"success superseded by {back[:12]}: applied"]
    assert states(play, jump)[-1] == f"pending followed by {back[:12]} before it was applied"


def test_a_kill_after_the_journal_has_the_newest_as_applied(play: Play, olga: Forge) -> None:
    """The repository no longer names the superseded commits then: their states are noted before."""
    one = olga.commit("One", pricing_yaml=pricing("1.1"))
    two = olga.commit("Two", pricing_yaml=pricing("1.05"))
    push(olga)

    def reached(point: Point) -> None:
        if point == Point("journal", "remember", 1, after=True):
            raise Killed

    restart(play, Tap(reached))
    with pytest.raises(Killed):
        play.blocks(1)
    restart(play)
    play.blocks(3)
    assert states(play, one) == [f"success superseded by {two[:12]}: applied"]
    assert rows(play, one, two) == [("Two", "applied", False), ("One", "superseded", True)]


def restart(play: Play, tap: Callable[[str, Any], Any] = untouched) -> None:
    """Kill the daemon and open it again on the same state."""
    play.daemon.drop()
    play.daemon = Daemon(play.outside, tap, limits=lambda: LIMITS)
