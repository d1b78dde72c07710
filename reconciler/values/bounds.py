"""Unit prices by name, the range in which they are bid, and the bounds of the host file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import NamedTuple

from reconciler.values.desired import BidStrategy, Config, Desired, Pricing, Rounding
from reconciler.values.gpus import GpuModel
from reconciler.values.limits import Limits
from reconciler.values.money import RATE_PLACES, plain, show_rate
from reconciler.values.pricing import EXACT_PRICE, model_price

PRICES = ("cpu_millicores", "memory_mb", "storage_mb", "gpu", "endpoint", "leased_ip", "minimum")
"""The keys of `pricing.yaml` that have bounds; the entries of tables have those of `gpu` and `storage_mb`."""

ROUNDING = "rounding"
"""The step that prices are rounded up to, as a price: a lease costs at least one step."""

LEASE_PRICES = ("minimum", ROUNDING)
"""Prices of a whole lease; the margin and multipliers do not apply to them."""

GPU_MODELS, STORAGE_CLASSES = "gpu_models.", "storage_classes."


class PriceRange(NamedTuple):
    """The lowest and the highest price of a unit that a lease may get."""

    low: Decimal
    high: Decimal


def unit_prices(pricing: Pricing) -> Mapping[str, Decimal]:
    """Every price by its name, such as `gpu` and `gpu_models.nvidia/a100`, and the step of `rounding` (0:
    none).
    """
    single = {name: getattr(pricing, name) for name in PRICES}
    single[ROUNDING] = Decimal(pricing.rounding_step if pricing.rounding is Rounding.UP else 0)
    models = {f"{GPU_MODELS}{model}": each for model, each in pricing.gpu_models}
    return single | models | {f"{STORAGE_CLASSES}{name}": each for name, each in pricing.storage_classes}


def prices_in_uve(pricing: Pricing) -> Mapping[str, str]:
    """The prices in force for people, without those that are free; rounded to 18 decimals."""
    quantum = Decimal(1).scaleb(-RATE_PLACES)
    with localcontext(prec=EXACT_PRICE.prec):
        return {
            name: show_rate(each.quantize(quantum))
            for name, each in unit_prices(pricing).items()
            if each and name != ROUNDING
        }


def wider_name(name: str, pricing: Pricing) -> str:
    """The price that counts if the table lacks the entry of this name; the name itself if it has no table."""
    if name.startswith(STORAGE_CLASSES):
        return "storage_mb"
    if not name.startswith(GPU_MODELS):
        return name
    model = GpuModel.parse(name.removeprefix(GPU_MODELS))
    wider = [each for each, _ in pricing.gpu_models if each != model and each.includes(model)]
    return f"{GPU_MODELS}{max(wider, key=lambda each: each.named_fields)}" if wider else "gpu"


@lru_cache(maxsize=4)
def changed_entries(old: Pricing, new: Pricing) -> tuple[tuple[str, str, str], ...]:
    """The GPUs whose price comes from another entry because entries were added or removed: their name, and
    those of the prices that count for them before and after.

    An entry overlaps others, such as `nvidia/*/80Gi` and `nvidia/a100`; the most specific one counts for the
    GPUs of both.
    """
    tables = [{model for model, _ in each.gpu_models} for each in (old, new)]
    moved = tables[0] ^ tables[1]
    common = {one.intersection(each) for one in moved for each in tables[0] | tables[1] if one.overlaps(each)}
    found = ((f"{GPU_MODELS}{each}", _counting_name(each, old), _counting_name(each, new)) for each in common)
    return tuple(sorted(each for each in found if each[1] != each[2]))


def _counting_name(model: GpuModel, pricing: Pricing) -> str:
    entry, _ = model_price(model, pricing)
    return "gpu" if entry is None else f"{GPU_MODELS}{entry}"


def price_ranges(desired: Desired) -> Mapping[str, PriceRange]:
    """The range of each price: from the largest discount, without the margin if bids may undercut down to
    cost, to the largest surcharge; empty without prices.
    """
    pricing = desired.pricing
    if pricing is None:
        return {}
    undercuts = (desired.config or Config()).bidding.strategy is BidStrategy.UNDERCUT
    least, most = factor_range(pricing, pricing.factor_min)
    with localcontext(EXACT_PRICE):
        low, high = (1 + pricing.profit_margin) * least, (1 + pricing.profit_margin) * most
        low = min(low, Decimal(1)) if undercuts else low
        return {
            name: PriceRange(each, each) if name in LEASE_PRICES else PriceRange(each * low, each * high)
            for name, each in unit_prices(pricing).items()
        }


def factor_range(pricing: Pricing, factor_min: Decimal) -> PriceRange:
    """The smallest and the largest product of multipliers that one lease may have."""
    least = most = Decimal(1)
    with localcontext(EXACT_PRICE):
        for each in pricing.multipliers:
            least, most = least * min(each.factor, Decimal(1)), most * max(each.factor, Decimal(1))
    return PriceRange(max(least, min(factor_min, Decimal(1))), most)


def _bound_name(name: str) -> str:
    if name.startswith(GPU_MODELS):
        return "gpu"
    if name == ROUNDING:
        return "minimum"
    return "storage_mb" if name.startswith(STORAGE_CLASSES) else name


def out_of_bounds(pricing: Pricing, limits: Limits) -> Iterator[tuple[str, str]]:
    """The name of each price that is too low or too high, multipliers included, and a message."""
    least, most = factor_range(pricing, limits.factor_min)
    with localcontext(EXACT_PRICE):
        lowest = min((1 + pricing.profit_margin) * least, Decimal(1))
        highest = (1 + pricing.profit_margin) * most
        for name, price in unit_prices(pricing).items():
            key = _bound_name(name)
            low = None if name == ROUNDING else limits.price_min.get(key)
            yield from _outside(name, price, (lowest, highest), (low, limits.price_max.get(key)))
    for index, each in enumerate(pricing.multipliers):
        if each.factor < limits.factor_min:
            allowed = f"the host file allows at least {plain(limits.factor_min * 100)} (discount_percent_max)"
            yield (
                f"multipliers.{index}.percent",
                f"{plain(each.factor * 100)} percent is too little; {allowed}",
            )


def _outside(
    name: str, price: Decimal, factors: tuple[Decimal, Decimal], bounds: tuple[Decimal | None, Decimal | None]
) -> Iterator[tuple[str, str]]:
    (lowest, highest), (low, high) = (Decimal(1), Decimal(1)) if name in LEASE_PRICES else factors, bounds
    if low is not None and price * lowest < low:
        less = f", with margin and discounts as little as {show_rate(price * lowest)}" if lowest != 1 else ""
        yield name, f"{name} is {show_rate(price)}{less}; the host file allows no less than {show_rate(low)}"
    if high is not None and price * highest > high:
        more = f", with margin and surcharges up to {show_rate(price * highest)}" if highest != 1 else ""
        yield name, f"{name} is {show_rate(price)}{more}; the host file allows no more than {show_rate(high)}"
