"""Some seeds of the simulation, and the proof that each invariant can break."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.simulation.seeded.invariants import INVARIANTS
from tests.simulation.seeded.mutants import CALM, DAYS_LATER, MUTANTS, STORY, TERMS, WEB, Mutant, caught_by
from tests.simulation.seeded.run import run_seed, run_steps
from tests.simulation.seeded.shrink import shrink, steps_in, text_of
from tests.simulation.seeded.steps import Step

SEEDS = (30,)
LATER = Step(9_000, "order", 0, WEB)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_keeps_every_invariant(seed: int) -> None:
    """`make simulate` runs more of them."""
    figures = run_seed(seed)

    assert figures.turns > 100
    assert figures.transactions > 0


@pytest.mark.parametrize(
    "steps",
    [
        (Step(6_000, "outage", 5, 2), Step(6_000, "top_up", 1), LATER),
        (Step(6_000, "arm", 8, 2), Step(6_000, "order", 0, WEB), LATER),
    ],
    ids=["money arrives while the journal cannot be written", "an intent cannot be stored"],
)
def test_a_failing_journal_breaks_no_invariant(steps: tuple[Step, ...]) -> None:
    assert run_steps(TERMS, steps).turns > 0


def test_the_daemon_as_it_is_keeps_every_invariant_in_the_mutants_story() -> None:
    assert run_steps(TERMS, STORY).transactions > 30


def test_a_run_is_reproducible() -> None:
    calm = run_steps(TERMS, (*CALM, DAYS_LATER))
    assert calm.transactions > 20
    assert run_steps(TERMS, CALM) == run_steps(TERMS, CALM)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.invariant)
def test_an_invariant_catches_its_deliberate_fault(mutant: Mutant) -> None:
    assert caught_by(mutant) == mutant.invariant


def test_every_invariant_has_a_deliberate_fault() -> None:
    assert {each.__name__ for each in INVARIANTS} == {each.invariant for each in MUTANTS}


def test_a_failing_run_is_shortened_to_the_steps_that_it_needs() -> None:
    assert shrink(range(40), lambda kept: {3, 17, 31} <= set(kept)) == (3, 17, 31)


@pytest.mark.parametrize(("steps", "text"), [((), "none"), ((4,), "4"), ((0, 1, 2, 5, 8, 9), "0-2,5,8-9")])
def test_steps_are_named_on_the_command_line(steps: tuple[int, ...], text: str) -> None:
    assert text_of(steps) == text
    assert steps_in(text) == steps
