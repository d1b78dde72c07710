"""The demo's story: one table of steps, played one after the other; read the steps first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from reconciler.devnet.audit import audit
from reconciler.devnet.faults import DevnetError
from reconciler.devnet.probe_git import DESIRED, STATUS
from reconciler.devnet.stage import Stage
from reconciler.devnet.steps import Step, StoryError
from reconciler.devnet.story_market import MARKET
from reconciler.devnet.story_money import MONEY
from reconciler.devnet.story_workloads import WORKLOADS

STEPS: tuple[Step, ...] = (*MARKET, *WORKLOADS, *MONEY)


SILENCE_SECONDS = 30

Say = Callable[[str], None]


def play(stage: Stage, steps: Sequence[Step], tick: Callable[[], None], say: Say) -> None:
    """Play the steps; StoryError names the first that is not seen in time."""
    for step in steps:
        say(step.tells)
        try:
            step.act(stage)
        except DevnetError as error:
            raise StoryError(step.name, f"{step.missing}: {error}") from None
        say(f"  -> {_wait(stage, step, tick)}")


def _wait(stage: Stage, step: Step, tick: Callable[[], None]) -> str:
    """The sentence of what was seen; errors of looking count as not seen, the last one is told in the end."""
    begun, since, trouble = stage.node.height(), time.monotonic(), ""
    while True:
        try:
            if seen := step.seen(stage):
                return seen
            trouble = ""
        except StoryError:
            raise
        except DevnetError as error:
            trouble = f" ({error})"
        blocks, seconds = stage.node.height() - begun, time.monotonic() - since
        if blocks > step.blocks and seconds > stage.patience_seconds:
            raise StoryError(step.name, f"{step.missing}, {blocks} blocks later{trouble}")
        if seconds > SILENCE_SECONDS and blocks == 0:
            raise StoryError(step.name, f"{step.missing}; the chain makes no blocks any more{trouble}")
        tick()


def ending(stage: Stage) -> Iterator[str]:
    """Both histories and the balance sheet."""
    yield "git log of the desired branch"
    yield from (f"  {line}" for line in stage.git.log(DESIRED))
    yield "git log of the status branch"
    yield from (f"  {line}" for line in stage.git.log(STATUS))
    yield "balance sheet of the provider (coins of a SIMULATED chain)"
    yield from (f"  {line}" for line in audit(stage).lines())
