"""The scenario of the kill tests: the steps of tenants and rivals, over some fifty blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from reconciler.adapters.kubernetes import naming
from reconciler.devnet.accounts import PROVIDER, key_of
from reconciler.devnet.chain.mempool import PER_ACCOUNT
from reconciler.devnet.cluster.deployments import is_ready
from reconciler.devnet.trading import OrderRequest, Trade
from reconciler.values.ids import LeaseId, OrderId, workload_id
from tests.simulation.actors import ESCROW_UVE, Actor
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
class ScenarioStep:
    """Something that others do, not before a height and not before the market is ready for it.

    The heights leave room: what a kill delays by a few blocks is there all the same when it is waited for.
    """

    height: int
    do: Callable[[Scenario], object]
    ready: Callable[[Scenario], bool] = lambda _: True


class Scenario:
    """The scenario's actors and progress in one world."""

    def __init__(self, outside: Outside, done: int = 0, ran_seconds: int = 0) -> None:
        self.outside = outside
        self.ran_seconds = ran_seconds
        self.alice, self.rival, self.third = (Actor(outside.chain, n) for n in ("alice", "rival", "third"))
        self.done = done

    @property
    def over(self) -> bool:
        """Whether all steps are done."""
        return self.done == len(STEPS)

    def act(self) -> None:
        """Run the steps that are due at this height."""
        while not self.over:
            act = STEPS[self.done]
            if self.outside.height < act.height or not act.ready(self):
                return
            act.do(self)
            self.done += 1

    def watch(self) -> None:
        """Count a second in which the usage-billed workload runs."""
        subject = workload_id(lease(USAGE))
        pods = self.outside.cluster.objects("pods")
        ours = [each for each in pods if each["metadata"].get("labels", {}).get(naming.WORKLOAD) == subject]
        self.ran_seconds += any(is_ready(each) for each in ours)

    def trade(self, number: int) -> Trade:
        """One of the tenant's deployments."""
        return self.alice.trade(number)

    def bid_by(self, number: int, *addresses: str) -> bool:
        """Whether all these providers have an open bid on its order; not while it is in no block yet."""
        offers = [offer for trade in self.alice.trades() if trade.dseq == number for offer in trade.offers]
        return {offer.id.provider for offer in offers if offer.state == "open"} >= set(addresses)


def _order(scenario: Scenario) -> None:
    fair = OrderRequest(Decimal(4000))
    usage = OrderRequest(Decimal(20_000), **BIG, attributes=(("billing", "usage"),))
    scenario.alice.order(fair, fair, usage, OrderRequest(Decimal(100)))


def _bid_against_us(scenario: Scenario) -> None:
    order = scenario.trade(CONTESTED).order
    scenario.rival.bid(order, Decimal(1000))
    scenario.third.bid(order, Decimal(3000))


def _all_bid(scenario: Scenario) -> bool:
    rivals = scenario.rival.address, scenario.third.address
    return scenario.bid_by(CONTESTED, OURS, *rivals) and all(scenario.bid_by(n, OURS) for n in (WEB, USAGE))


def _accept(scenario: Scenario) -> None:
    contested = LeaseId(lease(CONTESTED).order, scenario.rival.address)
    scenario.alice.accept(lease(WEB), lease(USAGE), contested)


def _files(scenario: Scenario, subject: str, *numbers: int, paused: bool = False) -> None:
    files: dict[str, str | None] = {}
    for number in numbers:
        files.update(workload(lease(number), paused=paused))
    scenario.outside.commits.commit(subject, files)


def _later(scenario: Scenario) -> None:
    scenario.alice.order(OrderRequest(Decimal(4000)))


def _close(scenario: Scenario, number: int) -> None:
    scenario.alice.close(number)


def _accept_later(scenario: Scenario) -> None:
    scenario.alice.accept(lease(LATER))


def _crowd(scenario: Scenario) -> None:
    """Exhaust our account's rate limit at the next height, so that the node refuses our transactions."""
    scenario.outside.chain.limiter.count(scenario.outside.height + 1, [OURS] * PER_ACCOUNT)


STEPS: tuple[ScenarioStep, ...] = (
    ScenarioStep(3, _order),
    ScenarioStep(5, _bid_against_us),
    ScenarioStep(9, _accept, _all_bid),
    ScenarioStep(9, _crowd),
    ScenarioStep(10, lambda s: s.alice.create_escrow(lease(USAGE), ESCROW_UVE)),
    ScenarioStep(11, lambda s: s.alice.activate_escrow(lease(USAGE), "escrow-1")),
    ScenarioStep(12, lambda s: _files(s, "Two workloads", WEB, USAGE)),
    ScenarioStep(15, lambda s: s.outside.commits.commit("Dearer", {"pricing.yaml": pricing("1.25")})),
    ScenarioStep(16, _later),
    ScenarioStep(21, _accept_later, lambda s: s.bid_by(LATER, OURS)),
    ScenarioStep(23, lambda s: _files(s, "Pause", WEB, paused=True)),
    ScenarioStep(27, lambda s: _files(s, "Resume", WEB)),
    ScenarioStep(32, lambda s: _close(s, WEB)),
    ScenarioStep(34, lambda s: _close(s, USAGE)),
    ScenarioStep(38, lambda s: _close(s, LATER)),
)
