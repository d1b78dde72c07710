"""Whatever is bid and accepted can be placed, in random histories of orders, bids, leases and closings."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from reconciler.planning.capacity.promises import pieces_of
from reconciler.planning.memory_update import confirm_all
from reconciler.planning.planner import plan
from reconciler.values.desired import Service, Workload
from reconciler.values.ids import WorkloadId, workload_id
from reconciler.values.intents import Confirmation, Intent, IntentOutcome
from reconciler.values.limits import Limits
from reconciler.values.machines import Capacity, Machine
from reconciler.values.memory import Memory
from reconciler.values.messages import CreateBid
from reconciler.values.observed import AdapterView, Bid, Lease, ObservedWorkload, Order
from reconciler.values.plans import ApplyWorkload, SendTransaction
from reconciler.values.readings import Seen
from reconciler.values.resources import Resources, ResourceUnit, total
from tests.makers import (
    HEIGHT,
    NOW,
    bid,
    desired,
    lease,
    market,
    order,
    planning_input,
    remembered,
    running,
    unit,
)
from tests.makers import workload as workload_file
from tests.planning.packers import fits_exhaustively

STEPS = 40
LIMITS = Limits(promised_per_tenant_percent=100, spend_per_hour=10**12)
EXHAUSTIVE_MAX = 8
"""Pieces up to which the exhaustive packer confirms, too."""


@dataclass
class History:
    """A provider with a cluster and hosts; pods go where their bid was promised."""

    rng: random.Random
    memory: Memory = field(default_factory=remembered)
    orders: dict[int, Order] = field(default_factory=dict)
    bids: dict[int, Bid] = field(default_factory=dict)
    leases: dict[int, Lease] = field(default_factory=dict)
    held: dict[str, dict[str, dict[WorkloadId, list[Resources]]]] = field(default_factory=dict)
    offered: dict[str, list[Resources]] = field(default_factory=dict)
    files: dict[WorkloadId, Workload] = field(default_factory=dict)
    placed: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        for name in ("kubernetes", "ansible"):
            self.offered[name] = [self._amount(8) for _ in range(self.rng.randint(1, 3))]
            self.held[name] = defaultdict(dict)

    def _amount(self, most: int) -> Resources:
        return Resources(self.rng.randint(1, most), self.rng.randint(1, most), self.rng.randint(1, most))

    def capacity(self, name: str) -> Capacity:
        machines = tuple(
            Machine(f"{name}{at}", each, {w: tuple(p) for w, p in self.held[name][f"{name}{at}"].items()})
            for at, each in enumerate(self.offered[name])
        )
        return Capacity(machines, total(self.offered[name]), workloads_are_whole=name == "ansible")

    def step(self, number: int) -> None:
        """Something happens, then a cycle runs; its bids land at once, its workloads are placed."""
        match self.rng.choice(["order", "order", "accept", "accept", "close", "withdraw"]):
            case "order":
                self.orders[number] = self._order(number)
            case "accept" if self.bids:
                won = self.rng.choice(sorted(self.bids))
                asked = self.bids.pop(won).order
                assert asked is not None
                self.leases[won] = lease(won, units=asked.units, attributes=asked.attributes)
                self.orders.pop(won)
                file = workload_file(won, adapter="")
                self.files[file.id] = replace(file, services=(_service(file, asked.units),))
            case "close" if self.leases:
                ended = workload_id(self.leases.pop(self.rng.choice(sorted(self.leases))).id)
                self.files.pop(ended)
                for machines in self.held.values():
                    for pods in machines.values():
                        pods.pop(ended, None)
            case "withdraw" if self.orders:
                gone = self.rng.choice(sorted(self.orders))
                self.orders.pop(gone)
                self.bids.pop(gone, None)
            case _:
                pass
        self.cycle()

    def _order(self, number: int) -> Order:
        made = [self._unit(at) for at in range(self.rng.randint(1, 2))]
        return order(number, *made, created_at=HEIGHT - 5)

    def _unit(self, at: int) -> ResourceUnit:
        size = self._amount(4)
        volume = replace(unit().storage[0], size_bytes=size.storage_bytes)
        return unit(
            price=10**9,
            cpu=size.cpu_milli,
            count=self.rng.randint(1, 3),
            id=at + 1,
            memory_bytes=size.memory_bytes,
            storage=(volume,),
        )

    def cycle(self) -> None:
        running_there: dict[str, dict[WorkloadId, ObservedWorkload]] = {name: {} for name in self.offered}
        for name, machines in self.held.items():
            for pods in machines.values():
                running_there[name] |= {w: running(self.files[w], digest="") for w in pods}
        views = {
            name: AdapterView(Seen(running_there[name]), Seen(self.capacity(name))) for name in self.offered
        }
        shown = market(orders=self.orders.values(), bids=self.bids.values(), leases=self.leases.values())
        shown = replace(shown, wallet=replace(shown.wallet, balance=10**15))
        wanted = desired(*self.files.values())
        made = plan(planning_input(shown, wanted, adapters=views, memory=self.memory, limits=LIMITS))
        sent = [a for a in made.actions if isinstance(a, SendTransaction)]
        self.refused += sum(h.reason.value == "NoCapacity" for h in made.holds)
        for action in made.actions:
            if isinstance(action, ApplyWorkload) and not self._runs(action.workload.id):
                self._place(action.workload, made.memory)
        self.memory = made.memory
        for each in sent:
            self._land(each)
        self._check()

    def _runs(self, subject: WorkloadId) -> bool:
        return any(subject in pods for machines in self.held.values() for pods in machines.values())

    def _land(self, sent: SendTransaction) -> None:
        """The bids are in the next block."""
        intent = Intent("h", b"", sent.messages, 0, 7, HEIGHT + 20, HEIGHT)
        landed = Confirmation(intent, IntentOutcome.LANDED, HEIGHT, NOW)
        promises = confirm_all(self.memory, (landed,), NOW, None).promises
        self.memory = replace(self.memory, promises=promises)
        for message in sent.messages:
            assert isinstance(message, CreateBid)
            number = message.id.order.dseq
            self.bids[number] = bid(number, self.orders[number], created_at=HEIGHT - 3)

    def _place(self, wanted: Workload, memory: Memory) -> None:
        """The pods of a lease, each on the machine that was promised; each must have room there."""
        promise = memory.promises[wanted.lease.order]
        assert wanted.adapter == promise.adapter
        won = self.leases[wanted.lease.order.dseq]
        pieces = pieces_of(won.units)
        if promise.adapter == "ansible":
            assert wanted.machine == promise.machines[0]
            pieces = (total(list(pieces)),)
        for name, piece in zip(promise.machines, pieces, strict=True):
            free = {m.name: m.free for m in self.capacity(promise.adapter).machines}[name]
            assert not free.lacks(piece), (wanted.lease, piece, free)
            self.held[promise.adapter][name].setdefault(wanted.id, []).append(piece)
        self.placed += 1

    def _check(self) -> None:
        """All bids that may be accepted now fit together, as an exhaustive search confirms."""
        for name in self.offered:
            capacity = self.capacity(name)
            pieces = [piece for claim in self._claims(name) for piece in claim]
            if len(pieces) <= EXHAUSTIVE_MAX:
                assert fits_exhaustively([m.free for m in capacity.machines], pieces), (name, pieces)

    def _claims(self, name: str) -> Iterator[tuple[Resources, ...]]:
        for promised, promise in self.memory.promises.items():
            if promise.adapter == name and promised.dseq in self.bids:
                asked = self.bids[promised.dseq].order
                assert asked is not None
                pieces = pieces_of(asked.units)
                yield (total(list(pieces)),) if name == "ansible" else pieces


def _service(file: Workload, units: tuple[ResourceUnit, ...]) -> Service:
    return replace(file.services[0], resources=total([each.all for each in units]))


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_bid_and_accepted_can_be_placed(seed: int) -> None:
    history = History(random.Random(seed))
    for number in range(1, STEPS):
        history.step(number)


def test_the_histories_are_not_empty() -> None:
    """Workloads are placed and orders refused for lack of capacity, or nothing is tested."""
    histories = [History(random.Random(seed)) for seed in range(4)]
    for each in histories:
        for number in range(1, STEPS):
            each.step(number)
    assert sum(each.placed for each in histories) > 10
    assert sum(each.refused for each in histories) > 10
