"""The price of resources per block: the lines of the tables, margin, multipliers, minimum; rounded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, Inexact, localcontext

from reconciler.values.desired import Multiplier, Pricing, Rounding
from reconciler.values.gpus import GpuModel
from reconciler.values.money import RATE_PLACES, ceil_uve, floor_uve
from reconciler.values.resources import MB, Demand, Kind, Parts, Resources

EXACT_PRICE = Context(prec=2_000, traps=[Inexact])
"""Decimal arithmetic that raises on rounding: quantities, prices, a rate, the margin and 200 multipliers have
fewer digits together.
"""

_MB_OF_A_BYTE = EXACT_PRICE.divide(Decimal(1), Decimal(MB))
"""Exact; a product is much faster than a quotient with so many digits."""

ACCEPTED_MODELS = 50
"""Models that a unit of an order may accept and be priced by each of them."""

_QUANTUM = Decimal(1).scaleb(-RATE_PLACES)


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a price: an amount of a resource, and its unit price in uve per block."""

    name: str
    count: Decimal
    unit: str
    price: Decimal

    @property
    def cost(self) -> Decimal:
        """The line's price, before the margin."""
        with localcontext(EXACT_PRICE):
            return self.count * self.price


def items(resources: Resources, pricing: Pricing) -> Iterator[Item]:
    """The lines of these resources' price; kinds without a price of their own are in the general line."""
    yield Item("cpu", Decimal(resources.cpu_milli), "m", pricing.cpu_millicores)
    yield Item("memory", _mb(resources.memory_bytes), " MB", pricing.memory_mb)
    yield from _storage_items(resources, pricing)
    yield from _gpu_items(resources, pricing)
    if resources.endpoints and pricing.endpoint:
        yield Item("endpoints", Decimal(resources.endpoints), "", pricing.endpoint)
    if resources.leased_ips and pricing.leased_ip:
        yield Item("leased IPs", Decimal(resources.leased_ips), "", pricing.leased_ip)


def price(demand: Demand, pricing: Pricing) -> Decimal:
    """`max(minimum, (1 + profit_margin) x multipliers x sum of the lines)` in uve a block: rounded up once,
    last, to multiples of `rounding_step`, or to 18 decimals with `rounding: none`. 0 for nothing.
    """
    resources = demand.resources
    with localcontext(EXACT_PRICE):
        cost = sum((item.count * item.price for item in items(resources, pricing)), Decimal(0))
        exact = cost * (1 + pricing.profit_margin) * factor(demand, pricing)
        if resources != Resources():
            exact = max(exact, pricing.minimum)
    return _rounded_up(exact, pricing)


def as_ordered(resources: Resources, ordered: Resources, pricing: Pricing) -> Resources:
    """The resources with the GPU models and storage classes of an order, where they name none: those with the
    lowest price first, as it is not known which of them are in use, and nobody pays for more than ran.
    """
    gpu_parts = _named_as(
        (resources.gpu, resources.gpu_models),
        (ordered.gpu, ordered.gpu_models),
        lambda accepted: gpu_price(accepted or (GpuModel(),), pricing)[1],
    )
    prices = dict(pricing.storage_classes)
    storage_parts = _named_as(
        (resources.storage_bytes, resources.storage_classes),
        (ordered.storage_bytes, ordered.storage_classes),
        lambda name: prices.get(name, pricing.storage_mb) if name else pricing.storage_mb,
    )
    return replace(resources, gpu_models=gpu_parts, storage_classes=storage_parts)


def _named_as(
    own: tuple[int, Parts[Kind]], ordered: tuple[int, Parts[Kind]], cost: Callable[[Kind | None], Decimal]
) -> Parts[Kind]:
    """The parts of an amount: those that it names, then the ordered ones that these leave over, the cheapest
    first; the amount of no ordered kind (None) stays without one.
    """
    (amount, parts), (ordered_amount, ordered_parts) = own, ordered
    unnamed = amount - sum(part for _, part in parts)
    if unnamed <= 0 or not ordered_parts:
        return parts
    left: dict[Kind | None, int] = dict(ordered_parts)
    left[None] = ordered_amount - sum(left.values())
    found = dict(parts)
    for named, part in parts:
        left[named if named in left else None] -= part
    for kind in sorted(left, key=lambda each: (cost(each), each is not None)):
        taken = max(min(left[kind], unnamed), 0)
        unnamed -= taken
        if kind is not None and taken:
            found[kind] = found.get(kind, 0) + taken
    return tuple(sorted(found.items()))


def cost_price(demand: Demand, pricing: Pricing) -> Decimal:
    """The price without the margin and without discounts, in uve a block; at most the price."""
    undiscounted = replace(pricing, profit_margin=Decimal(0), factor_min=Decimal(1))
    return min(price(demand, undiscounted), price(demand, pricing))


def multipliers_of(demand: Demand, pricing: Pricing) -> tuple[Multiplier, ...]:
    """The multipliers that apply."""
    return tuple(
        each
        for each in pricing.multipliers
        if each.tenant in ("", demand.tenant) and (each.attribute is None or demand.requires(each.attribute))
    )


def factor(demand: Demand, pricing: Pricing) -> Decimal:
    """The product of all multipliers that apply, at least `factor_min`; exact."""
    if not pricing.multipliers:
        return Decimal(1)
    product = Decimal(1)
    with localcontext(EXACT_PRICE):
        for each in multipliers_of(demand, pricing):
            product *= each.factor
    return max(product, min(pricing.factor_min, Decimal(1)))


def part_of(rate: Decimal, percent: int, pricing: Pricing) -> Decimal:
    """So many percent of a rate, rounded down as `rounding` says: to multiples of whole uve, or to 18
    decimals.
    """
    with localcontext(EXACT_PRICE):
        part = rate * percent / 100
        if pricing.rounding is Rounding.UP:
            return Decimal(floor_uve(part) // pricing.rounding_step * pricing.rounding_step)
    with localcontext(prec=EXACT_PRICE.prec):
        return part.quantize(_QUANTUM, rounding=ROUND_FLOOR)


def gpu_price(accepted: tuple[GpuModel, ...], pricing: Pricing) -> tuple[GpuModel | None, Decimal]:
    """The price of a GPU that may be of any accepted model: the most expensive of their prices, with the
    entry of the table that it is from (None: the price of all others). Beyond `ACCEPTED_MODELS` of them the
    most expensive entry counts, which bounds the time that an order costs.
    """
    if len(accepted) > ACCEPTED_MODELS:
        others: tuple[GpuModel | None, Decimal] = (None, pricing.gpu)
        return max((*pricing.gpu_models, others), key=lambda found: found[1])
    return max((model_price(each, pricing) for each in accepted), key=lambda found: found[1])


def model_price(asked: GpuModel, pricing: Pricing) -> tuple[GpuModel | None, Decimal]:
    """The most specific entry that includes the model. If that leaves open what the order names, or there is
    none, the tenant may get a GPU of a more specific entry than the order names: the most expensive counts.
    """
    table = pricing.gpu_models
    covering = [entry for entry in table if entry[0].includes(asked)]
    best: tuple[GpuModel | None, Decimal] = max(
        covering, key=lambda entry: (entry[0].named_fields, entry[1]), default=(None, pricing.gpu)
    )
    if best[0] == asked:
        return best
    narrower = [entry for entry in table if entry[0].overlaps(asked) and not entry[0].includes(asked)]
    return max((best, *narrower), key=lambda entry: entry[1])


def _gpu_items(resources: Resources, pricing: Pricing) -> Iterator[Item]:
    others = resources.gpu
    if pricing.gpu_models:
        unnamed = resources.gpu - sum(count for _, count in resources.gpu_models)
        for accepted, count in (*resources.gpu_models, ((GpuModel(),), unnamed)):
            model, each = gpu_price(accepted, pricing)
            if model is not None and count:
                others -= count
                yield Item(f"gpu {model}", Decimal(count), "", each)
    if others or not resources.gpu:
        yield Item("gpu", Decimal(others), "", pricing.gpu)


def _storage_items(resources: Resources, pricing: Pricing) -> Iterator[Item]:
    prices = dict(pricing.storage_classes)
    others = resources.storage_bytes
    for name, size in resources.storage_classes if prices else ():
        if name in prices:
            others -= size
            yield Item(f"storage {name}", _mb(size), " MB", prices[name])
    if others or not resources.storage_bytes:
        yield Item("storage", _mb(others), " MB", pricing.storage_mb)


def _mb(size_bytes: int) -> Decimal:
    return EXACT_PRICE.multiply(Decimal(size_bytes), _MB_OF_A_BYTE)


def _rounded_up(exact: Decimal, pricing: Pricing) -> Decimal:
    if pricing.rounding is Rounding.UP:
        return Decimal(-(-ceil_uve(exact) // pricing.rounding_step) * pricing.rounding_step)
    with localcontext(prec=EXACT_PRICE.prec):
        return exact.quantize(_QUANTUM, rounding=ROUND_CEILING)
