"""Strategies: the price of a bid, from our price, the tenant's highest price and other providers' bids.

No bid is below the price without its margin, and each must earn back its fees in the same time.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from reconciler.values.desired import Bidding, BidStrategy, Pricing
from reconciler.values.ids import BidId, OrderId
from reconciler.values.observed import Order
from reconciler.values.pricing import cost_price, part_of, price
from reconciler.values.resources import Demand


def lowest_rivals(bids: Mapping[BidId, Decimal]) -> Mapping[OrderId, Decimal]:
    """The lowest open bid of another provider on each order, in uve a block."""
    lowest: dict[OrderId, Decimal] = {}
    for bid, amount in bids.items():
        lowest[bid.order] = min(amount, lowest.get(bid.order, amount))
    return lowest


def bid_price(order: Order, bidding: Bidding, pricing: Pricing, rival: Decimal | None) -> Decimal:
    """The price of a bid in uve a block; `rival` is the lowest open bid of another provider."""
    demand = order.demand
    ours = price(demand, pricing)
    match bidding.strategy:
        case BidStrategy.PERCENT_OF_MAXIMUM:
            return max(ours, part_of(order.price, bidding.maximum_percent, pricing))
        case BidStrategy.UNDERCUT if rival is not None:
            below = part_of(rival, 100 - bidding.undercut_percent, pricing)
            return min(ours, max(below, cost_price(demand, pricing)))
        case _:
            return ours


def is_outpriced(held: Decimal, demand: Demand, bidding: Bidding, pricing: Pricing) -> bool:
    """Whether the price of a bid or lease is too far below the lowest that would be bid today."""
    undercuts = bidding.strategy is BidStrategy.UNDERCUT
    lowest = cost_price(demand, pricing) if undercuts else price(demand, pricing)
    return held * 100 < lowest * (100 - bidding.outpriced_percent)
