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
            return min(price, max(below, cost_of(order, pricing)))
        case _:
            return price


def cost_of(order: Order, pricing: Pricing) -> Decimal:
    """Our price without its margin, in uve a block."""
    return group_price(order.units, replace(pricing, profit_margin=Decimal(0)))
