"""A daemon in a world: opened on its journal, stepped, killed, opened again on what is on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random

from reconciler.chain.client import ChainClient, ClientOptions
from reconciler.chain.heights import seen_height
from reconciler.chain.tx_builder import FeePolicy
from reconciler.chain.witness import Witness, WitnessRules
from reconciler.cycle.environment import Environment, Store
from reconciler.cycle.loop import Loop, Pace
from reconciler.cycle.run import Runner
from reconciler.devnet.accounts import CHAIN_ID, PROVIDER, key_of
from reconciler.journal.opening import OpenJournal, open_journal
from reconciler.planning.revisions.adapter_grants import denial
from reconciler.ports import Adapter
from reconciler.runtime.work_queue import Work
from reconciler.runtime.work_queues import perform
from reconciler.values.desired import Desired
from reconciler.values.grants import Grants
from reconciler.values.hosts import AnsibleSettings
from reconciler.values.limits import Limits
from reconciler.values.outcomes import Failed
from reconciler.values.rates import ExchangeRate, RateSource
from reconciler.values.readings import Seen
from reconciler.values.work import FORGE, GIT, NOTICES, SNAPSHOT, WorkKey
from tests.simulation.seeded.chain import LinkedNode, LinkedRpc
from tests.simulation.seeded.terms import DAY, KUBERNETES, SPARE, USD_UVE
from tests.simulation.seeded.world import World
from tests.stepped_queues import SteppedQueues


class BlockClock:
    """A host's clock that goes with the chain; a wait of the loop is the world's turn."""

    def __init__(self, world: World, turn: Callable[[float], None]) -> None:
        self._world = world
        self._turn = turn

    def now(self) -> int:
        return self._world.seconds

    def wait(self, seconds: float) -> None:
        self._turn(seconds)


PORTS = {GIT: "repo", SNAPSHOT: "repo", NOTICES: "notifier", FORGE: "forge"}
"""The port behind each work queue; the others are adapters."""

STARTED_AT_ONCE = 0.85
"""Share of the startable items that run before the next cycle."""


@dataclass(frozen=True, slots=True)
class Hanging:
    """An item whose effect does not return; it took place all the same, or not."""

    work: Work
    port: str
    took_place: bool


class RevisionAdapters(Mapping[str, Adapter]):
    """The adapters that the revision in force names and the host file allows, as wiring configures them."""

    def __init__(self, known: Mapping[str, Adapter], grants: Grants) -> None:
        self._known, self._grants = known, grants
        self._names: tuple[str, ...] = ()

    def configure(self, desired: Desired) -> None:
        """Follow a revision."""
        if desired.commit:
            allowed = (name for name in desired.adapters if not denial(desired, name, self._grants))
            self._names = tuple(name for name in allowed if name in self._known)

    def __getitem__(self, name: str) -> Adapter:
        if name not in self._names:
            raise KeyError(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Life:
    """One life of a daemon, as wiring assembles it, without servers and threads; `rng` chooses which queued
    item runs when.
    """

    def __init__(self, world: World, limits: Limits, rng: Random, turn: Callable[[float], None]) -> None:
        tap = world.faults.tap
        self._faults, self._rng = world.faults, rng
        self.queues = SteppedQueues(lambda: world.seconds)
        self.hanging: list[Hanging] = []
        self.journal: OpenJournal = open_journal(world.directory)
        memory = self.journal.journal.memory()
        client = ChainClient(
            LinkedNode(world.link),
            LinkedRpc(world.link),
            key_of(PROVIDER),
            ClientOptions(
                CHAIN_ID,
                last_height=seen_height(memory),
                witness=_witness(world) if world.terms.witness else None,
                clock=lambda: world.seconds,
            ),
            FeePolicy(timeout_blocks=limits.timeout_blocks),
        )
        known = {name: tap("adapter", each) for name, each in world.adapters.items()}
        adapters = RevisionAdapters({**known, SPARE: known[KUBERNETES]}, limits.grants)

        def configure(desired: Desired) -> None:
            adapters.configure(desired)
            for name, settings in desired.adapters.items():
                if isinstance(settings, AnsibleSettings) and name in world.adapters:
                    world.adapters[name].follow(settings.hosts)

        environment = Environment(
            provider=PROVIDER,
            repo=tap("repo", world.repository),
            chain=tap("chain", client),
            adapters=adapters,
            configure=configure,
            store=Store(
                tap("journal", self.journal.journal),
                tap("intents", self.journal.intents),
                tap("outbox", self.journal.outbox),
                tap("inbox", self.journal.inbox),
                self.journal.records,
            ),
            queues=self.queues,
            clock=BlockClock(world, turn),
            limits=lambda: replace(limits, rate=_rate(world)),
            notifier=tap("notifier", world.receiver) if world.terms.notices else None,
            forge=tap("forge", world.receiver) if world.terms.forge else None,
            publishes_snapshot=True,
        )
        self.runner = Runner(environment, key_of(PROVIDER).address)
        self.loop = Loop(environment, self.runner, Pace(), lambda _: None)

    def work(self) -> None:
        """Run what is queued, in any order; what a hanging target takes hangs until it answers again."""
        for each in [h for h in self.hanging if not self._faults.hangs(h.port)]:
            self.hanging.remove(each)
            outcome = perform(each.work) if each.took_place else Failed("Timeout", "no answer in time")
            self.queues.end(each.work, outcome)
        tried: set[WorkKey] = set()
        while keys := [key for key in self.queues.startable() if key not in tried]:
            key = self._rng.choice(keys)
            tried.add(key)
            port = PORTS.get(key.target, "adapter")
            if self._faults.hangs(port):
                self.hanging.append(Hanging(self.queues.start(key), port, self._rng.random() < 0.5))
            elif self._rng.random() < STARTED_AT_ONCE:
                self.queues.step(key)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in flight but what hangs."""
        return len(self.queues.in_flight()) == len(self.hanging)

    def drop(self) -> None:
        """End it as a kill does: what was committed is on disk, nothing else."""
        self.journal.close()


def _rate(world: World) -> RateSource | None:
    """The rate's file, which is renewed each day."""
    if not world.terms.tables:
        return None
    days = world.seconds // DAY
    rate = ExchangeRate(Decimal(USD_UVE[days % len(USD_UVE)]), days * DAY)
    return RateSource("usd", 2 * DAY, Seen(rate))


def _witness(world: World) -> Witness:
    rules = WitnessRules(CHAIN_ID, clock=lambda: world.seconds)
    return Witness(LinkedNode(world.witness), LinkedRpc(world.witness), rules)
