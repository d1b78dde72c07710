"""What must hold after every step of every run, whatever fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from reconciler.chain.wire_market import lease_id_of
from reconciler.values.ids import OrderId
from reconciler.values.outcomes import Failed
from reconciler.values.plans import Reason
from tests.simulation.seeded import money, room, usage, workloads
from tests.simulation.seeded.fees import FeesAreNearTheCheapest
from tests.simulation.seeded.turn import Invariant, Turn
from tests.simulation.seeded.world import OURS, World

WAITS = frozenset({Reason.AWAITING_CONFIRMATION, Reason.TRY_LATER})
"""Reasons that must pass."""

UNSEEN_SECONDS = 120
"""How long a node that told a false height is not trusted."""

BID_BLOCKS = 4
"""Blocks until an eligible order has our bid, with one transaction before it."""


class NoBidWaitsForAnotherTarget(Invariant):
    """While the node answers, an order that nothing holds has our bid within a few blocks of its own."""

    def __init__(self) -> None:
        self._since: dict[OrderId, int] = {}
        self._seen_at = 0

    def check(self, turn: Turn) -> Iterator[str]:
        world = turn.world
        if turn.cycle is None or not self._node_is_well(turn):
            self._since.clear()
            self._seen_at = world.chain.seconds
            return
        plan = turn.cycle.planned.plan
        inputs = turn.cycle.planned.inputs
        market = inputs.seen_market
        if market is None:
            yield from self._unseen(world, str(inputs.market))
            return
        self._seen_at = world.chain.seconds
        held = {h.subject.order for h in plan.holds if h.reason not in WAITS}
        bid = {lease_id_of(b.id).order for b in world.bids() if b.id.provider == OURS}
        waiting = {order for order in market.orders if order not in held and order not in bid}
        self._since = {order: since for order, since in self._since.items() if order in waiting}
        for order in sorted(waiting):
            since = self._since.setdefault(order, world.blocks_made)
            if world.blocks_made - since > BID_BLOCKS:
                yield f"{order} waits for a bid for {world.blocks_made - since} blocks"

    def _unseen(self, world: World, why: str) -> Iterator[str]:
        if world.chain.seconds - self._seen_at > UNSEEN_SECONDS + BID_BLOCKS * world.terms.block_seconds:
            yield f"the node answers, and the chain is unseen: {why}"

    def _node_is_well(self, turn: Turn) -> bool:
        world, node = turn.world, turn.world.chain.faults
        false = node.shown_height or node.catching_up or node.shown_chain_id or node.price_factor != 1
        false = false or world.link.shows_closed_leases
        late = node.lag or node.grpc_lag or node.rpc_lag or world.halt_seconds or world.clock_ahead
        failed = world.chain.seconds - world.faults.node_failed_at <= 5 * world.terms.block_seconds
        return not (false or late or failed or world.faults.armed or "node" in world.faults.active)


class NoCycleFailsByABug(Invariant):
    """A cycle ends by itself, or by an error of its journal."""

    def check(self, turn: Turn) -> Iterator[str]:
        if turn.error is not None:
            yield f"{type(turn.error).__name__}: {turn.error}"
        if turn.cycle is not None:
            for each in turn.cycle.planned.inputs.results:
                outcome = each.outcome
                if isinstance(outcome, Failed) and outcome.reason == "InternalError":
                    yield str(outcome)[-600:]


BUSY_TURNS, WATCHED_TURNS = 12, 25
"""A calm world may still have a few due times close together, but not in every other cycle."""


class AQuietWorldFallsSilent(Invariant):
    """Once nobody acts and nothing fails, the daemon soon sends, pushes and applies nothing more."""

    def __init__(self) -> None:
        self._before: object = None
        self._busy: deque[bool] = deque(maxlen=WATCHED_TURNS)
        self._turns = 0

    def check(self, turn: Turn) -> Iterator[str]:
        world = turn.world
        done = (
            len(world.sent),
            world.remote.pushes,
            world.receiver.received,
            *(each.calls for each in world.adapters.values()),
        )
        changed, self._before = done != self._before, done
        self._turns = self._turns + 1 if world.is_calm else 0
        if self._turns > WATCHED_TURNS:
            self._busy.append(changed)
            if sum(self._busy) > BUSY_TURNS:
                yield f"effects in {sum(self._busy)} of {len(self._busy)} cycles"


INVARIANTS: tuple[Callable[[], Invariant], ...] = (
    money.NoOrderIsBidTwice,
    money.EveryBidHasThePriceOfTheFile,
    money.NoPeriodIsBilledTwice,
    usage.NobodyIsBilledForMoreThanRan,
    usage.NobodyIsServedUnfunded,
    usage.NoFundedLeaseIsEnded,
    money.DepositsAreAccountedFor,
    money.BalanceStaysAboveItsReserve,
    money.EveryIntentEnds,
    workloads.NothingIsRemovedOnSilence,
    workloads.NoWorkloadOutlivesItsLease,
    workloads.EveryLeaseGetsItsWorkload,
    workloads.TheNewestRevisionComesIntoForce,
    workloads.TheLifecycleTableIsKept,
    room.WhatIsAcceptedHasRoom,
    NoBidWaitsForAnotherTarget,
    money.TheLedgerEqualsTheBooks,
    money.EachLeaseEarnsWhatTheChainPaid,
    FeesAreNearTheCheapest,
    NoCycleFailsByABug,
    money.DepositsComeBack,
    AQuietWorldFallsSilent,
)
