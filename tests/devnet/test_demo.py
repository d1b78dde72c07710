"""Each demo step passes with its effect and fails without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.devnet import audit as audit_module
from reconciler.devnet.audit import audit
from reconciler.devnet.chain import market
from reconciler.devnet.demo import Step, StepError, no_action, run_steps
from reconciler.devnet.demo_manifest import SDL
from reconciler.devnet.demo_money import STEPS, nothing_changed, summary, traces
from reconciler.devnet.errors import DevnetError
from reconciler.devnet.probe import Probe
from reconciler.values.plans import Reason
from reconciler.values.snapshot import Snapshot
from tests.devnet.stepping import SteppedWorld

FEW_BLOCKS = 4
WITHHELD_FROM = {
    "bids": ("orders", "spending"),
    "closed-bid": ("leases", "spending"),
    "lifecycle": ("running", "publishing"),
    "usage": ("usage", "spending"),
    "removed": ("left", "removing"),
    "terminated": ("left", "publishing"),
}
"""Steps without an action: the step from which on an effect of the daemon is suppressed, and the effect."""

DUE_SECONDS = 100
"""Later than in the demo, as each step runs twice here."""

BLOCKS = {"usage": 40}
"""How long a step waits for an effect that is due later."""


def without_holds(reason: Reason) -> Callable[[Snapshot], Snapshot]:
    return lambda shown: replace(shown, holds=tuple(h for h in shown.holds if h.reason is not reason))


def without_workloads(shown: Snapshot) -> Snapshot:
    return replace(shown, workloads=())


def without_commit(shown: Snapshot) -> Snapshot:
    return replace(shown, published="")


HIDDEN: dict[str, Callable[[Snapshot], Snapshot]] = {
    "too-cheap": without_holds(Reason.PRICE_TOO_LOW),
    "too-big": without_holds(Reason.NO_CAPACITY),
    "pending": without_workloads,
    "published": without_commit,
}
"""Steps that read the daemon's API: the part that is hidden from it."""

OTHER_TESTS = {
    "withdrawn": "test_nothing_is_withdrawn",
    "left-open": "test_a_chain_that_closes_every_lost_bid",
    "sdl-commit": "test_a_readable_secret",
    "audit": "test_a_balance_sheet_that_does_not_match",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SteppedWorld]:
    made = SteppedWorld(tmp_path, DUE_SECONDS)
    yield made
    made.close()


def run(world: SteppedWorld, *steps: Step) -> list[str]:
    lines: list[str] = []
    run_steps(world.demo, steps, world.tick, lines.append)
    return lines


def assert_fails(world: SteppedWorld, step: Step, blocks: int = FEW_BLOCKS) -> None:
    """Without its action the step fails with its message."""
    with pytest.raises(StepError) as failed:
        run(world, replace(step, act=no_action, blocks=blocks))
    assert failed.value.step == step.name
    assert step.failure in str(failed.value)


def test_every_step_needs_its_effect(world: SteppedWorld) -> None:
    for step in STEPS:
        for wanted, (since, switch) in WITHHELD_FROM.items():
            if since == step.name:
                setattr(world.switches, switch, True)
                assert wanted in {s.name for s in STEPS}
        if step.name in HIDDEN:
            world.switches.showing = HIDDEN[step.name]
            world.tick()
        if step.act is not no_action or step.name in WITHHELD_FROM or step.name in HIDDEN:
            assert_fails(world, step, BLOCKS.get(step.name, FEW_BLOCKS))
        else:
            assert step.name in OTHER_TESTS
        world.switches.showing = None
        if step.name in WITHHELD_FROM:
            setattr(world.switches, WITHHELD_FROM[step.name][1], False)
        lines = run(world, step)
        assert lines[0] == step.title
        assert lines[1].startswith("  -> ")
    text = "\n".join(summary(world.demo))
    assert "Cores cost a quarter more" in text
    assert "earned" in text


def test_every_step_has_a_test(world: SteppedWorld) -> None:
    names = [step.name for step in STEPS]
    assert len(set(names)) == len(names)
    without_action = {step.name for step in STEPS if step.act is no_action}
    assert without_action == WITHHELD_FROM.keys() | HIDDEN.keys() | OTHER_TESTS.keys()
    assert all(test in globals() for test in OTHER_TESTS.values())


def steps_before(name: str) -> tuple[Step, ...]:
    return STEPS[: [step.name for step in STEPS].index(name)]


def step_named(name: str) -> Step:
    return next(step for step in STEPS if step.name == name)


def test_a_chain_that_closes_every_lost_bid(world: SteppedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    original = market.return_deposit
    monkeypatch.setattr(market, "return_deposit", lambda *a: original(*a) or True)
    run(world, *steps_before("left-open"))
    assert_fails(world, step_named("left-open"))


def test_a_readable_secret(world: SteppedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    run(world, *steps_before("sdl-commit"))
    monkeypatch.setattr(Probe, "files", lambda *_: [SDL])
    assert_fails(world, step_named("sdl-commit"))


def test_nothing_is_withdrawn(world: SteppedWorld) -> None:
    """The withdrawal joins the usage record, so that both are withheld."""
    run(world, *steps_before("usage"))
    world.switches.spending = True
    assert_fails(world, step_named("withdrawn"), 30)


def test_workloads_that_are_not_applied(world: SteppedWorld) -> None:
    run(world, *steps_before("running"))
    world.switches.applying = True
    with pytest.raises(StepError) as failed:
        run(world, replace(step_named("running"), blocks=FEW_BLOCKS))
    assert failed.value.step == "running"


def test_a_balance_sheet_that_does_not_match(world: SteppedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    run(world, *steps_before("running"))
    assert audit(world.demo).is_balanced
    assert_fails(world, step_named("audit"))  # nothing is earned yet
    monkeypatch.setattr(audit_module, "PROVIDER_UVE", 1)
    assert not audit(world.demo).is_balanced


def test_once_must_change_nothing(world: SteppedWorld) -> None:
    run(world, *steps_before("orders"))
    world.demo.traces = traces(world.demo)
    world.demo.once = (0, "noise\nnothing to do\n")
    assert "(nothing to do)" in nothing_changed(world.demo)
    world.demo.once = (1, "")
    assert not nothing_changed(world.demo)
    world.demo.once = (0, "")
    world.demo.operator.write("Another commit", {"note.txt": "x"})
    assert not nothing_changed(world.demo)


def test_an_error_of_an_action_fails_its_step(world: SteppedWorld) -> None:
    def fail(_: object) -> None:
        raise DevnetError("git is gone")

    with pytest.raises(StepError, match=r"step `started`: .*git is gone"):
        run(world, replace(STEPS[0], act=fail))


def test_a_chain_without_new_blocks(world: SteppedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.devnet.demo.NO_BLOCK_SECONDS", 0)
    with pytest.raises(StepError, match="makes no blocks"):
        run_steps(world.demo, [replace(step_named("orders"), act=no_action)], lambda: None, lambda _: None)
