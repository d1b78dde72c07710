"""Checks prices against the bounds of the host file."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from reconciler.values.desired import Pricing
from reconciler.values.limits import Limits
from reconciler.values.money import show_rate

PRICES = ("cpu_millicores", "memory_mb", "storage_mb", "gpu")
"""The keys of `pricing.yaml` that have bounds."""


def out_of_bounds(pricing: Pricing, limits: Limits) -> Iterator[tuple[str, str]]:
    """The key of each price that is too low or too high, and a message."""
    for name in PRICES:
        price: Decimal = getattr(pricing, name)
        low, high = limits.price_min.get(name), limits.price_max.get(name)
        if low is not None and price < low:
            yield (
                name,
                f"{name} is {show_rate(price)}; the host file allows no less than {show_rate(low)}",
            )
        if high is not None and price > high:
            yield (
                name,
                f"{name} is {show_rate(price)}; the host file allows no more than {show_rate(high)}",
            )
