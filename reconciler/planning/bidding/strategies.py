"""Strategies: the price of a bid, from our price, the tenant's highest price and other providers' bids.

No bid is below the price without its margin, and each must earn back its fees in the same time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from reconciler.values.desired import Bidding, BidStrategy, Pricing
from reconciler.values.ids import BidId, OrderId
from reconciler.values.observed import Order
from reconciler.values.pricing import group_price, part_of
from reconciler.values.resources import ResourceUnit


def lowest_rivals(bids: Mapping[BidId, Decimal]) -> Mapping[OrderId, Decimal]:
    """The lowest open bid of another provider on each order, in uve a block."""
    lowest: dict[OrderId, Decimal] = {}
    for bid, price in bids.items():
        lowest[bid.order] = min(price, lowest.get(bid.order, price))
    return lowest


def bid_price(order: Order, bidding: Bidding, pricing: Pricing, rival: Decimal | None) -> Decimal:
    """The price of a bid in uve a block; `rival` is the lowest open bid of another provider."""
    price = group_price(order.units, pricing)
    match bidding.strategy:
        case BidStrategy.PERCENT_OF_MAXIMUM:
            return max(price, part_of(order.price, bidding.maximum_percent, pricing))
        case BidStrategy.UNDERCUT if rival is not None:
            below = part_of(rival, 100 - bidding.undercut_percent, pricing)
            return min(price, max(below, cost_of(order.units, pricing)))
        case _:
            return price


def cost_of(units: tuple[ResourceUnit, ...], pricing: Pricing) -> Decimal:
    """Our price without its margin, in uve a block."""
    return group_price(units, replace(pricing, profit_margin=Decimal(0)))


def is_outpriced(price: Decimal, units: tuple[ResourceUnit, ...], bidding: Bidding, pricing: Pricing) -> bool:
    """Whether the price of a bid or lease is too far below the lowest that would be bid today."""
    undercuts = bidding.strategy is BidStrategy.UNDERCUT
    lowest = cost_of(units, pricing) if undercuts else group_price(units, pricing)
    return price * 100 < lowest * (100 - bidding.outpriced_percent)
