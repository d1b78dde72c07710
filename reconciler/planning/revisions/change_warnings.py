"""Warnings about a change's effect on earnings and costs, for the reviewer who merges it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from reconciler.values.bounds import ROUNDING, unit_prices
from reconciler.values.desired import Config, Desired, Pricing, Workload
from reconciler.values.money import grouped, plain
from reconciler.values.observed import Lease, State
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.preview import OrderChange, Preview, Price
from reconciler.values.times import MONTH_SECONDS

FALL_PERCENT = 20
"""Price falls from this percentage on are reported."""
JUMP_FACTOR = 100
"""From this factor on, a unit price may be in another unit."""


def change_warnings(outlook: PlanningSnapshot, old: Desired, new: Desired, preview: Preview) -> Iterator[str]:
    """Changes that cost money or stop earnings, most general first."""
    yield from _stops(old.config or Config(), new.config or Config())
    yield from _jumps(old.pricing, new.pricing)
    for price in preview.prices:
        yield from _price_warnings(price, (new.config or Config()).bidding.break_even_seconds)
    yield from _lost_orders(preview.orders)
    for subject, workload in sorted(new.workloads.items()):
        lease = outlook.market.leases.get(workload.lease)
        if lease is not None and lease.state is State.ACTIVE:
            yield from _lease_warnings(old.workloads.get(subject), workload, lease, preview)


def _stops(old: Config, new: Config) -> Iterator[str]:
    if new.suspended and not old.suspended:
        yield f"all transactions stop ({new.suspended}): no bid, withdrawal, usage or closing until resumed"
    if old.bidding.enabled and not new.bidding.enabled:
        yield "bidding stops: there are no new leases; existing leases continue"


def _jumps(old: Pricing | None, new: Pricing | None) -> Iterator[str]:
    if old is None or new is None or old.currency != new.currency:
        return
    before = unit_prices(old)
    for name, price in unit_prices(new).items():
        was = before.get(name, Decimal(0))
        factor = max(price, was) / min(price, was) if price and was else Decimal(0)
        if factor >= JUMP_FACTOR and name != ROUNDING:
            change = f"{grouped(was)} to {grouped(price)}{new.currency}"
            verb = "rises" if price > was else "falls"
            yield f"pricing.{name} {verb} {round(factor):,}-fold, from {change}: compare the unit"


def _price_warnings(price: Price, bound_seconds: int) -> Iterator[str]:
    old, new = price.old, price.new
    if new is None:
        return
    if new.rate <= 0:
        yield f"a {price.name} order becomes free; the chain rejects a bid of 0, so none is made"
        return
    if old is not None and old.rate > 0 and (old.rate - new.rate) * 100 >= old.rate * FALL_PERCENT:
        fall = plain(round((old.rate - new.rate) * 100 / old.rate, 1))
        rates = f"from {grouped(old.rate)}uve to {grouped(new.rate)}uve a block"
        yield f"the price of a {price.name} order falls by {fall} %, {rates}"
    if new.net < 0:
        yield f"a {price.name} order loses {-new.net:,}uve in 30 days: its fees are more than it pays"
    if new.break_even_seconds is not None and new.break_even_seconds > bound_seconds:
        hours = plain(Decimal(round(new.break_even_seconds / 3600, 1)))
        yield (
            f"a {price.name} order earns back its fees only after {hours} hours; config.yaml allows "
            f"{bound_seconds / 3600:g}, so none like it is bid on"
        )


def _lost_orders(orders: tuple[OrderChange, ...]) -> Iterator[str]:
    lost = [change for change in orders if change.old.bid is not None and change.new.bid is None]
    if lost:
        worth = grouped(sum((change.old.bid or Decimal(0) for change in lost), Decimal(0)))
        them = "1 open order is" if len(lost) == 1 else f"{len(lost)} open orders are"
        yield f"{them} no longer bid on, worth {worth}uve a block together"


def _lease_warnings(old: Workload | None, new: Workload, lease: Lease, preview: Preview) -> Iterator[str]:
    month = round(lease.price * MONTH_SECONDS / preview.costs.block_seconds)
    if new.close is not None and (old is None or old.close is None):
        yield (
            f"the lease of {new.id} is closed ({new.close.value}), which pays about {month:,}uve in 30 days"
        )
    elif new.paused and (old is None or not old.paused):
        yield (
            f"{new.id} is paused: its containers stop, and its tenant is still charged "
            f"{grouped(lease.price)}uve a block"
        )
