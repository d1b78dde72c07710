"""The sheet's lifecycle, as a table."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

from reconciler.values.lifecycle import TRANSITIONS, Phase, steps, trigger


@pytest.mark.parametrize(("start", "end"), [*product(Phase, Phase)])
def test_every_step_on_the_way_is_one_of_the_table(start: Phase, end: Phase) -> None:
    way = steps(start, end)
    assert all(there in TRANSITIONS[here] for here, there in pairwise((start, *way)))
    assert not way or way[-1] is end
    assert Phase.FAILED not in way[:-1], "nothing is said to have failed that did not"


@pytest.mark.parametrize("end", Phase)
def test_nothing_leaves_terminated(end: Phase) -> None:
    assert steps(Phase.TERMINATED, end) == ()


@pytest.mark.parametrize("start", [each for each in Phase if each is not Phase.TERMINATED])
def test_everything_can_end(start: Phase) -> None:
    assert steps(start, Phase.TERMINATED)[-1] is Phase.TERMINATED


def test_the_shortest_way_fills_in_what_was_missed() -> None:
    assert steps(Phase.PENDING, Phase.RUNNING) == (Phase.DEPLOYING, Phase.RUNNING)
    assert steps(Phase.PAUSED, Phase.RUNNING) == (Phase.DEPLOYING, Phase.RUNNING)
    assert steps(Phase.RUNNING, Phase.RUNNING) == ()


def test_the_sheets_words() -> None:
    assert trigger(Phase.PENDING, Phase.DEPLOYING) == "Lease accepted"
    assert trigger(Phase.DEPLOYING, Phase.RUNNING) == "Deploy success"
    assert trigger(Phase.RUNNING, Phase.STOPPING) == "Close request"
    with pytest.raises(KeyError):
        trigger(Phase.PENDING, Phase.RUNNING)
