"""The story sees each step, and each step alone: with its effect taken away, it fails there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.devnet import audit as books
from reconciler.devnet.chain import market
from reconciler.devnet.faults import DevnetError
from reconciler.devnet.steps import Step, StoryError, nothing
from reconciler.devnet.story import STEPS, ending, play
from reconciler.devnet.story_money import did_nothing, traces
from reconciler.values.plans import Reason
from reconciler.values.snapshot import Snapshot
from tests.devnet.stepping import SteppedWorld

FEW_BLOCKS = 4
WITHHELD_FROM = {
    "bids": ("orders", "spending"),
    "closed-bid": ("leases", "spending"),
    "lifecycle": ("running", "publishing"),
    "usage": ("usage", "spending"),
    "withdrawn": ("withdrawn", "spending"),
    "gone": ("left", "removing"),
    "terminated": ("left", "publishing"),
}
"""Steps that only watch: since which step what the daemon does is withheld, until it was missed."""

DUE_SECONDS = 100
"""Later than in the demo, as every step here takes twice its time."""

BLOCKS = {"usage": 40, "withdrawn": 30}
"""How long the effect is missed where money must fall due first."""


def without_holds(reason: Reason) -> Callable[[Snapshot], Snapshot]:
    return lambda shown: replace(shown, holds=tuple(h for h in shown.holds if h.reason is not reason))


def without_workloads(shown: Snapshot) -> Snapshot:
    return replace(shown, workloads=())


def without_commit(shown: Snapshot) -> Snapshot:
    return replace(shown, published="")


UNTOLD: dict[str, Callable[[Snapshot], Snapshot]] = {
    "too-cheap": without_holds(Reason.PRICE_TOO_LOW),
    "too-big": without_holds(Reason.NO_CAPACITY),
    "pending": without_workloads,
    "told": without_commit,
}
"""Steps that listen to the daemon: what it does not tell."""

ELSEWHERE = {"forgotten-bid": "test_a_chain_that_forgets_no_bid", "books": "test_books_that_do_not_agree"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SteppedWorld]:
    made = SteppedWorld(tmp_path, DUE_SECONDS)
    yield made
    made.close()


def played(world: SteppedWorld, *steps: Step) -> list[str]:
    lines: list[str] = []
    play(world.stage, steps, world.tick, lines.append)
    return lines


def missed(world: SteppedWorld, step: Step, blocks: int = FEW_BLOCKS) -> None:
    """Without its act the step is not seen, and the story says so."""
    with pytest.raises(StoryError) as failed:
        played(world, replace(step, act=nothing, blocks=blocks))
    assert failed.value.step == step.name
    assert step.missing in str(failed.value)


def test_every_step_is_seen_and_none_without_its_effect(world: SteppedWorld) -> None:
    for step in STEPS:
        for wanted, (since, switch) in WITHHELD_FROM.items():
            if since == step.name:
                setattr(world.switches, switch, True)
                assert wanted in {s.name for s in STEPS}
        if step.name in UNTOLD:
            world.switches.showing = UNTOLD[step.name]
            world.tick()
        if step.act is not nothing or step.name in WITHHELD_FROM or step.name in UNTOLD:
            missed(world, step, BLOCKS.get(step.name, FEW_BLOCKS))
        else:
            assert step.name in ELSEWHERE
        world.switches.showing = None
        if step.name in WITHHELD_FROM:
            setattr(world.switches, WITHHELD_FROM[step.name][1], False)
        told = played(world, step)
        assert told[0] == step.tells
        assert told[1].startswith("  -> ")
    ended = "\n".join(ending(world.stage))
    assert "Cores cost a quarter more" in ended
    assert "earned" in ended


def test_every_step_has_a_test(world: SteppedWorld) -> None:
    names = [step.name for step in STEPS]
    assert len(set(names)) == len(names)
    watching = {step.name for step in STEPS if step.act is nothing}
    assert watching == WITHHELD_FROM.keys() | UNTOLD.keys() | ELSEWHERE.keys()
    assert all(test in globals() for test in ELSEWHERE.values())


def until(name: str) -> tuple[Step, ...]:
    return STEPS[: [step.name for step in STEPS].index(name)]


def named(name: str) -> Step:
    return next(step for step in STEPS if step.name == name)


def test_a_chain_that_forgets_no_bid(world: SteppedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    returned = market.return_deposit
    monkeypatch.setattr(market, "return_deposit", lambda *a: returned(*a) or True)
    played(world, *until("forgotten-bid"))
    missed(world, named("forgotten-bid"))


def test_workloads_that_are_not_applied(world: SteppedWorld) -> None:
    played(world, *until("running"))
    world.switches.applying = True
    with pytest.raises(StoryError) as failed:
        played(world, replace(named("running"), blocks=FEW_BLOCKS))
    assert failed.value.step == "running"


def test_books_that_do_not_agree(world: SteppedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    played(world, *until("running"))
    assert books.audit(world.stage).agree
    missed(world, named("books"))  # nothing is earned yet
    monkeypatch.setattr(books, "PROVIDER_UVE", 1)
    assert not books.audit(world.stage).agree


def test_once_must_leave_no_trace(world: SteppedWorld) -> None:
    played(world, *until("orders"))
    world.stage.before = traces(world.stage)
    world.stage.once = (0, "noise\nnothing to do\n")
    assert "(nothing to do)" in did_nothing(world.stage)
    world.stage.once = (1, "")
    assert not did_nothing(world.stage)
    world.stage.once = (0, "")
    world.stage.operator.write("Somebody was here", {"note.txt": "x"})
    assert not did_nothing(world.stage)


def test_an_error_of_an_act_is_the_steps(world: SteppedWorld) -> None:
    def fail(_: object) -> None:
        raise DevnetError("git is gone")

    with pytest.raises(StoryError, match=r"step `started`: .*git is gone"):
        played(world, replace(STEPS[0], act=fail))


def test_a_chain_that_stands_still(world: SteppedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.devnet.story.SILENCE_SECONDS", 0)
    with pytest.raises(StoryError, match="makes no blocks any more"):
        play(world.stage, [replace(named("orders"), act=nothing)], lambda: None, lambda _: None)
