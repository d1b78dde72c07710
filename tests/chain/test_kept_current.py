"""Whatever happens on the chain, a view kept current by blocks equals one that is read anew."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

import pytest

from reconciler.chain.client import ChainClient
from reconciler.chain.keys import PrivateKey
from reconciler.chain.proto import deployment_v1_pb2, deployment_v1beta4_pb2
from reconciler.values.desired import CloseReason
from reconciler.values.ids import LeaseId, OrderId
from reconciler.values.intents import Prepared
from reconciler.values.messages import CloseBid, Message, RecordUsage, SettleUsage, WithdrawLease
from reconciler.values.observed import Market, State
from tests.contracts.chain_backends import ChainWorld, RefusedError, fee_terms
from tests.contracts.chain_steps import offer, seen, told

STEPS = 50
LIKELY = {
    "accept": 8,
    "bid": 4,
    "escrow": 6,
    "record": 5,
    "settle": 4,
    "end": 1,
    "rival": 1,
    "unbid": 1,
    "quit": 1,
}


@dataclass(slots=True)
class Walk:
    """A random walk of everybody on a small market."""

    world: ChainWorld
    client: ChainClient
    dice: random.Random
    known: set[LeaseId] = field(default_factory=set)
    done: list[str] = field(default_factory=list)

    def step(self) -> None:
        """One act of somebody, chosen among those that make sense now; then perhaps some blocks."""
        view = seen(self.client, known=sorted(self.known))
        self.known |= view.leases.keys()
        acts = self._acts(view)
        names = sorted({name for name, _ in acts})
        (name,) = self.dice.choices(names, [LIKELY.get(each, 2) for each in names])
        act = self.dice.choice([act for each, act in acts if each == name])
        self.done.append(name)
        with suppress(RefusedError):  # what the chain refuses has happened all the same: it cost a fee
            act()
        for _ in range(self.dice.choice((0, 1, 3))):
            self.world.advance()

    def _acts(self, view: Market) -> list[tuple[str, Callable[[], object]]]:
        acts: list[tuple[str, Callable[[], object]]] = [("order", self._order)]
        for order in view.orders.values():
            ours = LeaseId(order.id, view.wallet.address)
            if ours not in view.bids and order.deployment_state is State.ACTIVE:
                acts.append(("bid", partial(self._send, offer(view, order.id, self.dice.randint(1, 3000)))))
                acts.append(("rival", partial(self._rival, order.id)))
            if order.deployment_state is State.ACTIVE and order.id.owner == self.world.tenants[0].address:
                acts.append(("end", partial(self._end, order.id)))
        for bid in view.bids.values():
            if bid.state is State.OPEN and bid.order and bid.order.state is State.OPEN:
                acts.append(("accept", partial(self._accept, bid.id)))
            if bid.state is State.OPEN:
                acts.append(("unbid", partial(self._send, CloseBid(bid.id, CloseReason.UNSPECIFIED))))
        for lease in view.leases.values():
            if lease.state is State.ACTIVE:
                acts += self._lease_acts(view, lease.id)
        return acts

    def _lease_acts(self, view: Market, lease: LeaseId) -> list[tuple[str, Callable[[], object]]]:
        owner = self._owner(lease.order)
        acts: list[tuple[str, Callable[[], object]]] = [
            ("withdraw", lambda: self._send(WithdrawLease(lease))),
            ("quit", lambda: self._send(CloseBid(lease, CloseReason.UNSTABLE, lease=True))),
            ("close", lambda: self.world.close_lease(owner, lease)),
            ("top up", lambda: self.world.top_up(owner, lease.deployment, 700_000)),
            ("pause", lambda: self._pause(lease)),
            ("starve", self._starve),
        ]
        side = view.settlements.get(lease.order)
        if side is None:
            return acts
        if side.escrow is None:
            return [*acts, ("escrow", lambda: self.world.settlement_escrow(owner, lease, 900_000))]
        open_records = tuple(record.id for record in side.records if not record.settled)
        now = view.time
        acts.append(("record", lambda: self._send(RecordUsage(lease, 30_000, now - 5, now))))
        if open_records:
            acts.append(("settle", lambda: self._send(SettleUsage(lease.order, open_records, 30_000))))
        return acts

    def _order(self) -> None:
        # numbers of many widths, so that one is the beginning of another (semantics 4.4, prefix leak)
        self.world.numbers = self.dice.choice((1, 12, 123, 1234)) * 10 + self.dice.randint(0, 9)
        self.world.order(
            self.dice.choice(self.world.tenants), usage=self.dice.random() < 0.5, deposit=600_000
        )

    def _rival(self, order: OrderId) -> None:
        bid = self.world.bid_as(self.dice.choice(self.world.rivals), order, self.dice.randint(1, 3000))
        if self.dice.random() < 0.4:
            self._accept(bid)

    def _accept(self, bid: LeaseId) -> None:
        self.world.accept(self._owner(bid.order), bid)

    def _end(self, order: OrderId) -> None:
        self.world.close_deployment(self.world.tenants[0], order.deployment)

    def _pause(self, lease: LeaseId) -> None:
        group = deployment_v1_pb2.GroupID(owner=lease.order.owner, dseq=lease.order.dseq, gseq=1)
        owner = self._owner(lease.order)
        self.world.do(owner, deployment_v1beta4_pb2.MsgPauseGroup(id=group))
        if self.dice.random() < 0.6:
            self.world.do(owner, deployment_v1beta4_pb2.MsgStartGroup(id=group))

    def _starve(self) -> None:
        """Until accounts run out of funds, which nobody notices (semantics 4.6)."""
        for _ in range(300):
            self.world.advance()

    def _owner(self, order: OrderId) -> PrivateKey:
        return next(tenant for tenant in self.world.tenants if tenant.address == order.owner)

    def _send(self, message: Message) -> None:
        seen(self.client, known=sorted(self.known))
        made = self.client.prepare([message], fee_terms(1))
        if isinstance(made, Prepared) and made.intent is not None:
            self.client.broadcast(made.intent)
            self.world.advance()


@pytest.mark.parametrize("seed", range(3))
def test_a_refreshed_view_equals_a_full_view(world: ChainWorld, seed: int) -> None:
    walk = Walk(world, world.client(full_view_seconds=10**9), random.Random(seed))
    for _ in range(STEPS):
        walk.step()
        view = seen(walk.client, known=sorted(walk.known))
        anew = seen(world.client(), known=sorted(walk.known))
        only_events = replace(view, rival_bids={})  # a first view has read no block
        assert told(only_events) == told(anew), walk.done
        world.clients.pop().close()
