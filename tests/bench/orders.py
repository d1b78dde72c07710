"""Open orders: one among many leases, and many in one block, priced and packed onto machines."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from reconciler.planning.planner import plan
from reconciler.values.ids import OrderId
from reconciler.values.limits import Limits
from reconciler.values.observed import AdapterView, Order
from reconciler.values.plans import SendTransaction
from reconciler.values.readings import Seen
from tests import makers
from tests.bench.cycles import later, provider_of
from tests.bench.figures import cpu_ms, show
from tests.bench.holdings import TENANT

MACHINES = 100
SPEND = 10**15
JOURNAL_BLOCKS = 30
"""A new journal spends nothing for 20 blocks."""


def order(number: int, created_at: int) -> Order:
    """An order of two units for a good price."""
    made = makers.order(number, makers.unit(price=9_000, count=2), created_at=created_at)
    return replace(made, id=OrderId(TENANT, 1_000_000 + number, 1, 1))


def bench_one_order(leases: int) -> None:
    """A whole cycle from the block that shows an order to the transaction with the bid on it."""
    with provider_of(leases) as (scene, runner):
        for _ in range(JOURNAL_BLOCKS):
            later(scene)
        number = 0

        def bid() -> None:
            nonlocal number
            number += 1
            later(scene)
            seen = scene.chain.reading
            assert isinstance(seen, Seen)
            asked = order(number, seen.view.height)
            scene.chain.reading = Seen(replace(seen.view, orders={asked.id: asked}))
            actions = runner.run_cycle().planned.plan.actions
            assert any(isinstance(action, SendTransaction) for action in actions), runner.snapshot.holds
            scene.chain.reading = seen

        show(f"cycle with one order to bid on, {leases} leases", f"{cpu_ms(bid, 1):.0f} ms")


def bench_many_orders(orders: int) -> None:
    """The plan for many open orders on many machines."""
    nodes = [makers.ROOM] * MACHINES
    view = AdapterView(Seen({}), Seen(makers.capacity_of(*nodes)))
    asked = [order(number, makers.HEIGHT - number) for number in range(orders)]
    market = makers.market(orders=asked)
    market = replace(market, wallet=replace(market.wallet, balance=SPEND))
    limits = Limits(
        bids_per_cycle=orders, spend_per_hour=SPEND, promised_per_tenant_percent=100, gas_price_max=Decimal(1)
    )
    inputs = makers.planning_input(market, adapters={"kubernetes": view}, limits=limits)
    show(f"plan with {orders} open orders, {MACHINES} machines", f"{cpu_ms(lambda: plan(inputs), 3):.0f} ms")
