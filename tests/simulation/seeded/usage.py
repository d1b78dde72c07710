"""Invariants of usage billing, from books of what ran in each block: machines, prices and the chain's tables
alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from reconciler.chain.proto.settlement_v1_pb2 import EscrowAccount
from reconciler.devnet.chain.tables import SETTLEMENT_ESCROWS, USAGE
from reconciler.planning.revisions.admission import desired_at
from reconciler.values.desired import Pricing
from reconciler.values.ids import LeaseId
from reconciler.values.pricing import price
from reconciler.values.resources import Resources, total
from tests.simulation.seeded.acts import active_leases
from tests.simulation.seeded.turn import Deadline, Invariant, Turn
from tests.simulation.seeded.world import World


class UsageBooks:
    """The most that each lease may be billed: what ran at the beginning or the end of the blocks between two
    turns, at the higher of the prices then in force.
    """

    def __init__(self) -> None:
        self.most: dict[LeaseId, Decimal] = {}
        self._height = 0
        self._running: dict[LeaseId, Resources] = {}
        self._pricing: Pricing | None = None

    def book(self, turn: Turn) -> None:
        """Book the blocks since the last turn."""
        height, running = turn.world.chain.height, _running(turn.world)
        pricing = _pricing_in_force(turn) or self._pricing
        for lease in running.keys() | self._running.keys():
            ran = [each[lease] for each in (running, self._running) if lease in each]
            rates = [price(each, rates) for each in ran for rates in (pricing, self._pricing) if rates]
            more = max(rates, default=Decimal(0)) * (height - self._height)
            self.most[lease] = self.most.get(lease, Decimal(0)) + more
        self._height, self._running, self._pricing = height, running, pricing


class NobodyIsBilledForMoreThanRan(Invariant):
    """The usage records of a lease cost no more than what ran for it, at the price then in force."""

    def __init__(self) -> None:
        self._books = UsageBooks()

    def check(self, turn: Turn) -> Iterator[str]:
        self._books.book(turn)
        for lease, billed in _billed(turn.world).items():
            most = {str(known): sum_ for known, sum_ in self._books.most.items()}.get(lease, Decimal(0))
            if billed > most:
                yield f"{lease} was billed {billed}uve for what costs {most}uve"


class NobodyIsServedUnfunded(Invariant):
    """Once the world is well, a workload that is billed by usage does not run for long without an escrow that
    pays for what ran and is not settled yet.
    """

    def __init__(self) -> None:
        self._books = UsageBooks()
        self._deadline = Deadline()

    def check(self, turn: Turn) -> Iterator[str]:
        self._books.book(turn)
        for name in self._deadline.overdue(turn, set(self._unfunded(turn.world))):
            yield f"{name} is served, and nothing pays for it"

    def _unfunded(self, world: World) -> Iterator[str]:
        running = _running(world)
        escrows = {each.order_id: each for each in world.chain.rows(SETTLEMENT_ESCROWS)}
        for lease in _usage_billed(world):
            if lease in running and not _pays(escrows.get(str(lease.order))):
                yield str(lease)


def _pays(escrow: EscrowAccount | None) -> bool:
    return escrow is not None and escrow.state == "active" and any(int(c.amount) > 0 for c in escrow.balance)


def _running(world: World) -> dict[LeaseId, Resources]:
    """What the ready replicas of each lease use."""
    return {
        each.workload.lease: total(list(each.pieces))
        for adapter in world.adapters.values()
        for each in adapter.workloads.values()
        if each.ready and not each.removing
    }


def _billed(world: World) -> dict[str, int]:
    billed: dict[str, int] = {}
    for each in world.chain.rows(USAGE):
        cost = sum(int(coin.amount) for coin in each.total_cost)
        billed[each.lease_id] = billed.get(each.lease_id, 0) + cost
    return billed


def _usage_billed(world: World) -> Iterator[LeaseId]:
    by_usage = {
        each.id.dseq
        for each in world.orders()
        if any((a.key, a.value) == ("billing", "usage") for a in each.spec.requirements.attributes)
    }
    return (lease for lease in active_leases(world) if lease.order.dseq in by_usage)


def _pricing_in_force(turn: Turn) -> Pricing | None:
    if turn.cycle is None:
        return None
    planned = turn.cycle.planned
    desired = desired_at(planned.inputs.desired, planned.plan.revision)
    return desired.pricing if desired else None
