"""The price of a group of resources per block."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from reconciler.values.desired import Pricing, Rounding
from reconciler.values.money import EXACT, RATE_PLACES, ceil_uve, floor_uve
from reconciler.values.resources import MB, Resources, ResourceUnit, total

_QUANTUM = Decimal(1).scaleb(-RATE_PLACES)


def group_price(units: Iterable[ResourceUnit], pricing: Pricing) -> Decimal:
    """`ceil((1 + profit_margin) x sum of count x units x unit price)` in uve per block; rounded once."""
    return price(total([u.all for u in units]), pricing)


def part_of(rate: Decimal, percent: int, pricing: Pricing) -> Decimal:
    """So many percent of a rate, rounded down as `rounding` says: to whole uve, or to 18 decimals."""
    with localcontext(EXACT):
        part = rate * percent / 100
    if pricing.rounding is Rounding.UP:
        return Decimal(floor_uve(part))
    with localcontext(prec=EXACT.prec):
        return part.quantize(_QUANTUM, rounding=ROUND_FLOOR)


def price(resources: Resources, pricing: Pricing) -> Decimal:
    """The price of resources in uve a block; whole uve, or up to 18 decimals with `rounding: none`."""
    with localcontext(EXACT):
        cost = (
            resources.cpu_milli * pricing.cpu_millicores
            + Decimal(resources.memory_bytes) / MB * pricing.memory_mb
            + Decimal(resources.storage_bytes) / MB * pricing.storage_mb
            + resources.gpu * pricing.gpu
        )
        exact = cost * (1 + pricing.profit_margin)
    if pricing.rounding is Rounding.UP:
        return Decimal(ceil_uve(exact))
    with localcontext(prec=EXACT.prec):
        return exact.quantize(_QUANTUM, rounding=ROUND_CEILING)
