"""The story of the kill tests: a market that is over after some fifty blocks, act by act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from reconciler.adapters.kubernetes import naming
from reconciler.devnet.accounts import PROVIDER, key_of
from reconciler.devnet.chain.ratelimit import PER_ACCOUNT
from reconciler.devnet.cluster.deployments import is_ready
from reconciler.devnet.tenant import OrderRequest, bid_id
from reconciler.devnet.trading import Trade
from reconciler.values.ids import LeaseId, OrderId, workload_id
from tests.simulation.actors import Actor
from tests.simulation.commits import pricing, workload
from tests.simulation.outside import Outside

WEB, CONTESTED, USAGE, CHEAP, LATER = range(1_000_001, 1_000_006)
"""Deployment numbers, in the order of posting: won; lost to a rival beside a third bidder; billed by usage;
never bid on; won at the price of a later commit.
"""

OURS = key_of(PROVIDER).address
ALICE = key_of("alice").address
BIG = {"cpu_milli": 4000, "memory_mb": 4096, "storage_mb": 4096}


def lease(number: int) -> LeaseId:
    """Our lease of one of the tenant's deployments, once it has one."""
    return LeaseId(OrderId(ALICE, number, 1, 1), OURS)


@dataclass(frozen=True, slots=True)
class Act:
    """Something that others do, not before a height and not before the market is ready for it.

    The heights leave room: what a kill delays by a few blocks is there all the same when it is waited for.
    """

    height: int
    do: Callable[[Stage], None]
    ready: Callable[[Stage], bool] = lambda _: True


class Stage:
    """Those who act, on one world."""

    def __init__(self, outside: Outside, done: int = 0, ran_seconds: int = 0) -> None:
        self.outside = outside
        self.ran_seconds = ran_seconds
        self.alice, self.rival, self.third = (Actor(outside.chain, n) for n in ("alice", "rival", "third"))
        self.done = done

    @property
    def over(self) -> bool:
        """Nobody does anything any more."""
        return self.done == len(ACTS)

    def act(self) -> None:
        """Do what is due at this height, one act after the other."""
        while not self.over:
            act = ACTS[self.done]
            if self.outside.height < act.height or not act.ready(self):
                return
            act.do(self)
            self.done += 1

    def watch(self) -> None:
        """Count a second in which the usage-billed workload truly runs."""
        subject = workload_id(lease(USAGE))
        pods = self.outside.cluster.objects("pods")
        ours = [each for each in pods if each["metadata"].get("labels", {}).get(naming.WORKLOAD) == subject]
        self.ran_seconds += any(is_ready(each) for each in ours)

    def trade(self, number: int) -> Trade:
        """One of the tenant's deployments."""
        return self.alice.trade(number)

    def bid_by(self, number: int, *addresses: str) -> bool:
        """Whether all of them have an open bid on its order."""
        there = {o.id.provider for o in self.trade(number).offers if o.state == "open"}
        return there >= set(addresses)


def _order(stage: Stage) -> None:
    fair = OrderRequest(Decimal(4000))
    usage = OrderRequest(Decimal(20_000), **BIG, attributes=(("billing", "usage"),))
    stage.alice.order(fair, fair, usage, OrderRequest(Decimal(100)))


def _bid_against_us(stage: Stage) -> None:
    order = stage.trade(CONTESTED).order
    stage.rival.bid(order, Decimal(1000))
    stage.third.bid(order, Decimal(3000))


def _all_bid(stage: Stage) -> bool:
    rivals = stage.rival.address, stage.third.address
    return stage.bid_by(CONTESTED, OURS, *rivals) and all(stage.bid_by(n, OURS) for n in (WEB, USAGE))


def _accept(stage: Stage) -> None:
    bids = [bid_id(stage.trade(n).order, OURS) for n in (WEB, USAGE)]
    stage.alice.accept(*bids, bid_id(stage.trade(CONTESTED).order, stage.rival.address))


def _files(stage: Stage, subject: str, *numbers: int, paused: bool = False) -> None:
    files: dict[str, str | None] = {}
    for number in numbers:
        files.update(workload(lease(number), paused=paused))
    stage.outside.commits.commit(subject, files)


def _later(stage: Stage) -> None:
    stage.alice.order(OrderRequest(Decimal(4000)))


def _close(stage: Stage, number: int) -> None:
    stage.alice.close(number)


def _accept_later(stage: Stage) -> None:
    stage.alice.accept(bid_id(stage.trade(LATER).order, OURS))


def _crowd(stage: Stage) -> None:
    """Spend our account's share of the next height, so that the node's check refuses what we send then."""
    stage.outside.chain.limiter.count(stage.outside.height + 1, [OURS] * PER_ACCOUNT)


ACTS: tuple[Act, ...] = (
    Act(3, _order),
    Act(5, _bid_against_us),
    Act(9, _accept, _all_bid),
    Act(9, _crowd),
    Act(10, lambda s: s.alice.make_escrow(lease(USAGE))),
    Act(11, lambda s: s.alice.activate_escrow(lease(USAGE), "escrow-1")),
    Act(12, lambda s: _files(s, "Two workloads", WEB, USAGE)),
    Act(15, lambda s: s.outside.commits.commit("Dearer", {"pricing.yaml": pricing("1.25")})),
    Act(16, _later),
    Act(21, _accept_later, lambda s: s.bid_by(LATER, OURS)),
    Act(23, lambda s: _files(s, "Pause", WEB, paused=True)),
    Act(27, lambda s: _files(s, "Resume", WEB)),
    Act(32, lambda s: _close(s, WEB)),
    Act(34, lambda s: _close(s, USAGE)),
    Act(38, lambda s: _close(s, LATER)),
)
