"""Invariants of usage billing, from books of what ran in each block: machines, prices and the chain's tables
alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from reconciler.chain.proto.cosmos_coin_pb2 import Coin
from reconciler.chain.proto.settlement_v1_pb2 import EscrowAccount
from reconciler.chain.wire_market import lease_id_of
from reconciler.devnet.chain.tables import SETTLEMENT_ESCROWS, USAGE
from reconciler.planning.leases import FUNDS_RAN_OUT, USAGE_UNPAID
from reconciler.values.desired import Pricing
from reconciler.values.ids import LeaseId
from reconciler.values.messages import CloseBid
from reconciler.values.plans import Action, ApplyWorkload, SendTransaction
from reconciler.values.pricing import price
from reconciler.values.readings import Unseen
from reconciler.values.resources import USAGE_BILLED, Demand, Resources, total
from reconciler.values.times import DAY_SECONDS
from tests.simulation.seeded.acts import active_leases
from tests.simulation.seeded.turn import Deadline, Invariant, Turn, seen_now
from tests.simulation.seeded.world import World

ADJACENT_BLOCKS = 10
"""Turns that are further apart do not show that a workload ran in between."""


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
            rates = [
                price(Demand(each, lease.order.owner, (USAGE_BILLED,)), rates)
                for each in ran
                for rates in (pricing, self._pricing)
                if rates
            ]
            more = max(rates, default=Decimal(0)) * (height - self._height)
            self.most[lease] = self.most.get(lease, Decimal(0)) + more
        self._height, self._running, self._pricing = height, running, pricing


class ServiceBooks:
    """The least that an escrow owes for each lease since it is active: what ran before and after the blocks
    between two turns that both saw chain and machines, at the lower of the prices then in force, less what
    the lease itself pays.
    """

    def __init__(self) -> None:
        self.least: dict[LeaseId, Decimal] = {}
        self._seen: tuple[int, dict[LeaseId, Resources], Pricing] | None = None

    def book(self, turn: Turn) -> None:
        """Book the blocks since the last turn."""
        before, self._seen = self._seen, _seen(turn)
        if before is None or self._seen is None:
            return
        (since, ran, old), (height, running, new) = before, self._seen
        if height - since > ADJACENT_BLOCKS:
            return
        for lease in turn.world.leases():
            id_ = lease_id_of(lease.id)
            if id_ in ran and ran[id_] == running.get(id_):
                rate = (
                    min(
                        price(Demand(ran[id_], id_.order.owner, (USAGE_BILLED,)), each) for each in (old, new)
                    )
                    - Decimal(lease.price.amount) / 10**18
                )
                more = max(rate, Decimal(0)) * (height - since)
                self.least[id_] = self.least.get(id_, Decimal(0)) + more


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
    """Once the world is well, a workload that is billed by usage does not run for long without an active
    escrow whose funds cover what ran since its activation.
    """

    def __init__(self) -> None:
        self._books = ServiceBooks()
        self._deadline = Deadline()

    def check(self, turn: Turn) -> Iterator[str]:
        self._books.book(turn)
        for name in self._deadline.overdue(turn, set(self._unfunded(turn.world))):
            yield f"{name} is served, and nothing pays for it"

    def _unfunded(self, world: World) -> Iterator[str]:
        running = _running(world)
        escrows = {each.order_id: each for each in world.chain.rows(SETTLEMENT_ESCROWS)}
        for lease in _usage_billed(world):
            escrow = escrows.get(str(lease.order))
            if escrow is None or escrow.state != "active":
                self._books.least.pop(lease, None)
            if lease in running and not _covers(escrow, self._books.least.get(lease, Decimal(0))):
                yield str(lease)


class NoFundedLeaseIsEnded(Invariant):
    """No lease is closed, nor its workload stopped, for a lack of funds while its settlement escrow holds
    twice what ran, and for a day more.
    """

    def __init__(self) -> None:
        self._books = UsageBooks()

    def check(self, turn: Turn) -> Iterator[str]:
        self._books.book(turn)
        if turn.cycle is None:
            return
        for action in turn.cycle.planned.plan.actions:
            lease = _ended_by(action)
            if lease is not None and self._is_funded(turn.world, lease):
                yield f"{lease} has funds, and ends: {action}"

    def _is_funded(self, world: World, lease: LeaseId) -> bool:
        escrows = {each.order_id: each for each in world.chain.rows(SETTLEMENT_ESCROWS)}
        escrow = escrows.get(str(lease.order))
        if escrow is None or escrow.state != "active" or lease not in self._books.most:
            return False
        is_lasting = escrow.expires_at > world.chain.seconds + DAY_SECONDS
        return is_lasting and _sum(escrow.balance) > 2 * self._books.most[lease] > 0


def _ended_by(action: Action) -> LeaseId | None:
    """The lease that is closed for a lack of funds, or whose workload is stopped for it."""
    match action:
        case ApplyWorkload(workload, why=why) if workload.paused and "pays for its usage" in why:
            return workload.lease
        case SendTransaction(messages=messages):
            closed = (each for each in messages if isinstance(each, CloseBid))
            return next((each.id for each in closed if each.why in (USAGE_UNPAID, FUNDS_RAN_OUT)), None)
        case _:
            return None


def _covers(escrow: EscrowAccount | None, cost: Decimal) -> bool:
    """Whether an escrow held so much when it was activated, and holds something still."""
    if escrow is None or escrow.state != "active":
        return False
    return _sum(escrow.balance) > 0 and _sum(escrow.amount) >= cost


def _sum(coins: Iterable[Coin]) -> int:
    return sum(int(coin.amount) for coin in coins if coin.denom == "uve")


def _seen(turn: Turn) -> tuple[int, dict[LeaseId, Resources], Pricing] | None:
    """What a turn saw: its height, what ran, and the prices; None if it did not see chain and machines."""
    shown, pricing = seen_now(turn), _pricing_in_force(turn)
    if shown is None or pricing is None or turn.cycle is None:
        return None
    if any(isinstance(view.workloads, Unseen) for view in turn.cycle.planned.inputs.adapters.values()):
        return None
    return shown.height, _running(turn.world), pricing


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
    """The prices in uve."""
    return turn.cycle.planned.plan.memory.pricing if turn.cycle is not None else None
