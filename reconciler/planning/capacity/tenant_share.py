"""How much capacity the open bids on one tenant's orders may claim, so that orders whose bids nobody accepts
do not keep others out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.planning.capacity.headroom import usable
from reconciler.planning.planning_input import MarketBasis
from reconciler.values.ids import OrderId
from reconciler.values.messages import CreateBid
from reconciler.values.observed import Order
from reconciler.values.plans import Hold, Reason
from reconciler.values.resources import Resources, ResourceUnit, total
from reconciler.values.subjects import Subject


@dataclass(frozen=True, slots=True)
class TenantShare:
    """The most that one tenant's open bids may claim, and what they claim, by tenant; a bid that a lease has
    followed no longer counts.
    """

    percent: int
    most: Resources
    claimed: Mapping[str, Resources]

    @classmethod
    def of(cls, basis: MarketBasis, offered: Resources) -> TenantShare:
        """The share of all that may be promised, before this cycle's bids."""
        percent = basis.limits.promised_per_tenant_percent
        claimed: dict[str, Resources] = {}
        for order, units in _open(basis):
            claimed[order.owner] = claimed.get(order.owner, Resources()) + _all(units)
        return cls(percent, usable(offered, basis.limits, basis.desired).percent(percent), claimed)

    def exceeded_by(self, order: Order) -> Hold | None:
        """A hold on an order that exceeds it; one open bid is always allowed."""
        claimed = self.claimed.get(order.id.owner)
        if claimed is None or not (short := self.most.lacks(claimed + _all(order.units))):
            return None
        why = (
            f"open bids on this tenant's orders claim {claimed.describe()} without a lease; with this order, "
            f"more than {self.percent} % of the {', '.join(short)} that may be promised "
            "(promised_per_tenant_percent of the host file)"
        )
        return Hold(Subject.of_order(order.id), Reason.CEILING, why)

    def after_bid(self, order: Order) -> TenantShare:
        """The shares after a bid on this order."""
        owner = order.id.owner
        claimed = self.claimed.get(owner, Resources()) + _all(order.units)
        return replace(self, claimed={**self.claimed, owner: claimed})


def _open(basis: MarketBasis) -> Iterator[tuple[OrderId, tuple[ResourceUnit, ...]]]:
    """Orders on which we have an open bid, in a block or in flight."""
    market = basis.market
    for bid in market.bids.values():
        if bid.may_win and bid.order is not None:
            yield bid.id.order, bid.order.units
    for intent in basis.intents:
        for message in intent.messages:
            if isinstance(message, CreateBid) and message.id not in market.bids:
                yield message.id.order, message.units


def _all(units: tuple[ResourceUnit, ...]) -> Resources:
    """What the units claim of machines; persistent volumes are bounded by the capacity of their class."""
    return total([unit.all.on_machine for unit in units])
