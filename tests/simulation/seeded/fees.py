"""The fees of withdrawals against the cheapest schedule, computed afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.chain.proto.market_v1beta5_pb2 import MsgWithdrawLease
from reconciler.chain.transactions import decode_tx
from reconciler.devnet.chain.blocks import Included
from tests.simulation.seeded.acts import active_leases
from tests.simulation.seeded.turn import Invariant, Turn
from tests.simulation.seeded.world import OURS, World

GAS_TRANSACTION = 45_000
"""What a transaction uses once, whatever its messages (semantics 1.6)."""

ENOUGH = 20
"""Transactions before a judgement: the last interval of a lease is incomplete."""


class FeesAreNearTheCheapest(Invariant):
    """While nothing but orders and leases comes, the gas that is paid for withdrawals is within 10 % of what
    the cheapest schedule with the same deadlines needs: each lease once an interval, all in one transaction.
    """

    def __init__(self) -> None:
        self._judged = ENOUGH - 1

    def check(self, turn: Turn) -> Iterator[str]:
        world = turn.world
        sent = [] if world.is_disturbed or len(world.sent) <= self._judged else list(_withdrawals(world))
        if len(sent) <= self._judged or len(active_leases(world)) < len(_ours(world)):
            return
        self._judged = len(sent)
        every = int(world.terms.every.removesuffix("h")) * 3_600 // world.terms.block_seconds
        intervals = [(sent[-1].height - created) // every for created in _ours(world)]
        messages = sum(len(decode_tx(tx.data).messages) for tx in sent)
        used = sum(tx.outcome.gas_used for tx in sent)
        each = (used - GAS_TRANSACTION * len(sent)) // messages
        cheapest = GAS_TRANSACTION * max(intervals) + each * sum(intervals)
        paid = sum(tx.outcome.gas_wanted for tx in sent)
        if 10 * paid > 11 * cheapest:
            yield f"{len(sent)} withdrawals of {messages} leases paid for {paid} gas, {cheapest} would do"


def _withdrawals(world: World) -> Iterator[Included]:
    for name in world.sent:
        found = world.chain.ledger.find(name)
        if found and all(isinstance(m, MsgWithdrawLease) for m in decode_tx(found.data).messages):
            yield found


def _ours(world: World) -> list[int]:
    """The heights at which our leases were created."""
    return [each.created_at for each in world.leases() if each.id.provider == OURS]
