"""`make simulate`: run seeds, replay one, or show that each invariant catches its deliberate fault."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from tests.simulation.seeded.run import Figures, run_seed
from tests.simulation.seeded.shrink import shrink, steps_in, text_of
from tests.simulation.seeded.terms import DAY
from tests.simulation.seeded.turn import ViolationError

YEAR = 365 * DAY


@dataclass(frozen=True, slots=True)
class Result:
    """How a seed ended: what it did, or the invariant that it broke, with the shortest steps that do."""

    seed: int
    figures: Figures
    broken: str = ""
    kept: str = ""

    @property
    def command(self) -> str:
        """Replays it."""
        return f"make simulate SEED={self.seed} STEPS={self.kept}"


def run(seed: int) -> Result:
    """Run a seed; shorten it if it fails."""
    try:
        return Result(seed, run_seed(seed))
    except ViolationError as error:
        invariant, why, done = error.invariant, str(error), error.steps_done
    kept = shrink(range(done), lambda steps: breaks(seed, steps, invariant))
    return Result(seed, Figures(), why, text_of(kept))


def breaks(seed: int, steps: object, invariant: str) -> bool:
    """Whether a seed with these steps breaks the same invariant."""
    assert isinstance(steps, list | tuple)
    try:
        run_seed(seed, steps)
    except ViolationError as error:
        return error.invariant == invariant
    return False


def simulate(first: int, count: int) -> int:
    """Run many seeds on all cores; the number of those that fail."""
    began, failed, turns, seconds, transactions = time.monotonic(), 0, 0, 0, 0
    for done, result in enumerate(_results(range(first, first + count)), 1):
        turns += result.figures.turns
        seconds += result.figures.seconds
        transactions += result.figures.transactions
        if result.broken:
            failed += 1
            print(f"seed {result.seed}: {result.broken}\n    {result.command}", flush=True)
        if done % 20 == 0 or done == count:
            rate = done / (time.monotonic() - began)
            years = f"{seconds / YEAR:.1f} years, {turns} cycles, {transactions} own transactions"
            print(f"{done} seeds, {failed} failed: {years}; {rate:.2f} seeds/s", flush=True)
    return failed


def replay(seed: int, steps: str) -> int:
    """Run a seed and print what happens; 1 if it fails."""
    try:
        print(run_seed(seed, steps_in(steps) if steps else None, print))
    except ViolationError as error:
        print(error)
        return 1
    return 0


def _results(seeds: range) -> Iterator[Result]:
    with ProcessPoolExecutor(max_workers=int(os.environ.get("WORKERS") or os.cpu_count() or 1)) as workers:
        yield from workers.map(run, seeds)


def main() -> int:
    """The command line of the Makefile."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--steps", default="")
    parser.add_argument("--mutants", action="store_true")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if given.mutants:
        from tests.simulation.seeded.mutants import MUTANTS, caught_by

        survivors = 0
        for mutant in MUTANTS:
            caught = caught_by(mutant)
            survivors += caught != mutant.invariant
            print(f"{mutant.name}: {caught or 'survived'}", flush=True)
        return survivors
    if given.seed is not None:
        return replay(given.seed, given.steps)
    return min(simulate(given.first, given.seeds), 1)


if __name__ == "__main__":
    sys.exit(main())
