"""One run: a world with its steps, a daemon in it, and the invariants after every turn."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from reconciler.cycle.run import Cycle
from reconciler.journal.errors import JournalError
from reconciler.values.grants import AnsibleGrants, Grants, KubernetesGrants
from reconciler.values.limits import Limits
from reconciler.values.readings import Unseen
from tests.simulation.seeded import disorder
from tests.simulation.seeded.acts import MARKET_ACTS
from tests.simulation.seeded.daemon import Life
from tests.simulation.seeded.disorder import DISORDER
from tests.simulation.seeded.due import due_blocks
from tests.simulation.seeded.faults import Killed
from tests.simulation.seeded.invariants import INVARIANTS
from tests.simulation.seeded.steps import Step, steps_of
from tests.simulation.seeded.terms import ANSIBLE, BEGINS_AT, DAY, KUBERNETES, SPARE, Terms, terms_of
from tests.simulation.seeded.turn import Invariant, Turn, ViolationError
from tests.simulation.seeded.world import World

ACTS = {**MARKET_ACTS, **DISORDER}
UNDISTURBED = frozenset({"order", "accept", "file"})
"""Steps that leave the due times of withdrawals as they are."""

MEMORY = Path("/dev/shm")
STILL_TURNS = 2
"""Turns without a change outside after which time may jump."""

WAKES_EARLY = 0.05
"""Share of the cycles that another one follows within the same block."""

LAST_SECONDS = 3 * 3_600
"""How long a run goes on when everything is well again, and nobody does anything more."""


LIMITS = Limits(
    grants=Grants(
        {
            KUBERNETES: KubernetesGrants(cluster="a cluster"),
            SPARE: KubernetesGrants(cluster="a cluster"),
            ANSIBLE: AnsibleGrants(enabled=True, hosts=("10.0.0.0/8",)),
        }
    )
)
"""The host file: its defaults, and hosts."""


@dataclass(slots=True)
class Figures:
    """What a run did: cycles, jumps, chain time, our transactions in blocks, kills of the daemon."""

    turns: int = 0
    jumps: int = 0
    seconds: int = 0
    transactions: int = 0
    kills: int = 0


@dataclass(slots=True)
class Run:
    """Executes the steps; raises ViolationError."""

    terms: Terms
    steps: tuple[Step, ...]
    directory: Path
    trace: Callable[[str], None] | None = None
    figures: Figures = field(default_factory=Figures)
    world: World = field(init=False)
    life: Life | None = None
    _next: int = 0
    _still: int = 0
    _token: object = None
    _cycle: Cycle | None = None
    _error: Exception | None = None
    _over_at: int = 0
    _limits: Limits = LIMITS
    _invariants: list[Invariant] = field(default_factory=lambda: [each() for each in INVARIANTS])
    _gaps: Random = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.terms, self.directory)
        self.world.chain.limiter.enabled = False
        self._limits = replace(self._limits, fees_per_day=self.terms.fees_per_day)
        self._gaps = Random(repr(self.terms))

    def execute(self) -> Figures:
        """Run to the end."""
        while not self._over:
            if self.world.down_blocks > 0:
                self._advance(alive=False)
            else:
                self._live()
            self.world.change_disk()
        self.figures.seconds = self.world.chain.seconds - BEGINS_AT
        self.figures.transactions = len(self.world.sent)
        return self.figures

    def _live(self) -> None:
        """One life of the daemon."""
        self.life = life = Life(self.world, self._limits, self._gaps, self._turn)
        cycle = life.runner.run_cycle

        def noted(*, flush: bool = False) -> Cycle:
            self._cycle = self._error = None
            try:
                self._cycle = cycle(flush=flush)
            except JournalError:
                raise
            except Exception as error:
                self._error = error
                raise
            return self._cycle

        life.runner.run_cycle = noted  # type: ignore[method-assign]
        try:
            life.loop.run()
        except Killed:
            self.figures.kills += 1
            self._say("killed")
        finally:
            life.drop()
            self.life = None

    def _turn(self, seconds: float) -> None:
        """The world's turn: between two cycles."""
        del seconds
        self.figures.turns += 1
        self._check()
        assert self.life is not None
        self.life.work()
        if self._over:
            self.life.loop.stop()
            return
        if not self._wakes_early():
            self._advance(alive=True)
        if self.world.kill:
            raise Killed

    def _wakes_early(self) -> bool:
        """Whether another cycle runs before the next block, as after a push or a change of the machines."""
        world = self.world
        if world.within_block or world.is_calm or self._gaps.random() > WAKES_EARLY:
            return False
        world.within_block = self._gaps.randrange(min(self.terms.block_seconds, 60))
        return world.within_block > 0

    def _check(self) -> None:
        assert self.life is not None
        journal = self.life.journal
        intents, ledger = journal.intents.open_intents(), journal.records.ledger
        turn = Turn(self.world, self._limits, self._cycle, intents, ledger, self._error)
        self._trace_cycle()
        for each in self._invariants:
            for why in each.check(turn):
                error = ViolationError(type(each).__name__, why)
                error.steps_done = self._next
                raise error

    def _advance(self, *, alive: bool) -> None:
        """The steps that are due, a block, and a jump where nothing happens."""
        world = self.world
        while self._next < len(self.steps) and self.steps[self._next].at <= world.chain.seconds - BEGINS_AT:
            step = self.steps[self._next]
            self._next += 1
            self._say(f"step {self._next - 1}: {step}")
            ACTS[step.kind](world, step.a, step.b)
            world.is_disturbed |= step.kind not in UNDISTURBED
            self._still = 0
        if self._next == len(self.steps) and not self._over_at and world.next_act is None:
            disorder.lift(world)
            world.is_calm = True
            self._over_at = world.chain.seconds + LAST_SECONDS
        world.block()
        if not alive:
            world.down_blocks -= 1
        token = world.token()
        self._still = self._still + 1 if token == self._token else 0
        self._token = token
        if self._still >= STILL_TURNS or not alive:
            self._jump(alive=alive)

    def _jump(self, *, alive: bool) -> None:
        world = self.world
        if world.chain.mempool.waiting or not all(each.settled for each in world.adapters.values()):
            return
        if self.life is not None and not self._is_waiting(self.life):
            return
        limits = [self._blocks_to_step(), due_blocks(world, self._cycle if alive else None)]
        if alive:
            limits.append(self._gaps.choice((9, 450, *(self.terms.gap_blocks,) * 10)))
        else:
            limits.append(world.down_blocks - 1)
        blocks = min(limits)
        if blocks < 2:
            return
        world.chain.jump(blocks)
        world.down_blocks = max(world.down_blocks - blocks, 0)
        self.figures.jumps += 1
        self._still = STILL_TURNS - 1

    def _is_waiting(self, life: Life) -> bool:
        """Whether no cycle changes anything before something outside does: nothing is in flight, and a
        transaction only while the chain is unseen.
        """
        is_unseen = self._cycle is not None and isinstance(self._cycle.planned.inputs.market, Unseen)
        return life.is_idle and (is_unseen or not life.journal.intents.open_intents())

    def _blocks_to_step(self) -> int:
        """Blocks until the next step, or the end."""
        world = self.world
        at = (
            self.steps[self._next].at + BEGINS_AT if self._next < len(self.steps) else self._over_at or 10**12
        )
        blocks = (at - world.chain.seconds) // self.terms.block_seconds - 1
        if world.next_act is not None:
            blocks = min(blocks, world.next_act - world.chain.height - 1)
        return blocks

    @property
    def _over(self) -> bool:
        return bool(self._over_at) and self.world.chain.seconds >= self._over_at

    def _say(self, words: str) -> None:
        if self.trace is not None:
            at = (self.world.chain.seconds - BEGINS_AT) / DAY
            self.trace(f"{at:8.4f} d {self.world.chain.height:>8} {words}")

    def _trace_cycle(self) -> None:
        if self.trace is None:
            return
        if self._error is not None:
            self._say(f"failed: {self._error!r}")
        if self._cycle is None:
            return
        plan = self._cycle.planned.plan
        for action in plan.actions:
            self._say(f"  {action.describe()[:300]}")
        for line in plan.transitions:
            self._say(f"  {line.workload}: {line.from_phase} -> {line.to_phase}: {line.trigger}")


def run_seed(
    seed: int, kept: Sequence[int] | None = None, trace: Callable[[str], None] | None = None
) -> Figures:
    """Run a seed, with all of its steps or those that are named; raises ViolationError."""
    terms, steps = terms_of(Random(seed)), steps_of_seed(seed)
    if kept is not None:
        steps = tuple(steps[n] for n in kept if n < len(steps))
    return run_steps(terms, steps, trace)


def steps_of_seed(seed: int) -> tuple[Step, ...]:
    """The steps of a seed."""
    rng = Random(seed)
    return steps_of(rng, terms_of(rng))


def run_steps(terms: Terms, steps: tuple[Step, ...], trace: Callable[[str], None] | None = None) -> Figures:
    """Run these steps in a world of their own."""
    directory = Path(tempfile.mkdtemp(prefix="simulation-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        return Run(terms, steps, directory, trace).execute()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
