"""Checks of pricing.yaml beyond its model: one currency, no entry twice, and warnings about prices."""

from collections.abc import Iterator

from reconciler.documents.convert import gpu_of
from reconciler.documents.document import Document
from reconciler.documents.pricing_model import PricingFile
from reconciler.values.desired import Fault, Pricing, Rounding
from reconciler.values.money import DENOM, parse_price
from reconciler.values.pricing import price
from reconciler.values.resources import MB, Demand, Resources

SMALLEST_WORKLOAD = Resources(cpu_milli=100, memory_bytes=128 * MB, storage_bytes=512 * MB)
LARGEST_WORKLOAD = Resources(cpu_milli=64_000, memory_bytes=262_144 * MB, storage_bytes=1_048_576 * MB, gpu=1)

Steps = tuple[str | int, ...]


def price_places(file: PricingFile) -> Iterator[tuple[str, Steps]]:
    """The name of each price in bounds and messages, and where it is written."""
    prices = file.pricing
    for name in ("cpu_millicores", "memory_mb", "storage_mb", "gpu", "endpoint", "leased_ip", "minimum"):
        if getattr(prices, name) is not None:
            yield name, (name,)
    for index, entry in enumerate(prices.gpu_models):
        yield f"gpu_models.{gpu_of(entry)}", ("gpu_models", index, "price")
    for name, text in prices.storage_classes.model_dump().items():
        if text is not None:
            yield f"storage_classes.{name}", ("storage_classes", name)


def multiplier_places(file: PricingFile) -> Iterator[tuple[str, Steps]]:
    """The name of each multiplier in messages, and where it is written."""
    for index in range(len(file.pricing.multipliers)):
        yield f"multipliers.{index}.percent", ("multipliers", index, "percent")


def pricing_faults(document: Document, file: PricingFile) -> Iterator[Fault]:
    """The faults that make the file unusable."""
    yield from _currency_faults(document, file)
    first: dict[str, int] = {}
    for index, entry in enumerate(file.pricing.gpu_models):
        steps: Steps = ("pricing", "gpu_models", index)
        model = str(gpu_of(entry))
        if entry.vendor is entry.model is entry.ram is entry.interface is None:
            advice = "name its vendor, model, ram or interface; pricing.gpu is the price of all others"
            yield document.fault(steps, "the entry is for every GPU", advice)
        elif first.setdefault(model, index) != index:
            message = f"{model} has a price in entry {first[model]} already"
            yield document.fault(steps, message, "remove one of the two")
    known: dict[tuple[str | None, str | None], int] = {}
    for index, each in enumerate(file.pricing.multipliers):
        steps = ("pricing", "multipliers", index)
        if each.tenant is None and each.attribute is None:
            advice = "name a tenant or an attribute; profit_margin is for all"
            yield document.fault(steps, "the multiplier is for every lease", advice)
        elif known.setdefault((each.tenant, each.attribute), index) != index:
            message = f"entry {known[each.tenant, each.attribute]} is for the same leases"
            yield document.fault(steps, message, "write their product as one entry")


def _currency_faults(document: Document, file: PricingFile) -> Iterator[Fault]:
    currency = parse_price(file.pricing.cpu_millicores)[1]
    for _, steps in price_places(file):
        other = parse_price(_text_at(document, steps))[1]
        if other != currency:
            message = f"the price is in {other}, but cpu_millicores is in {currency}"
            yield document.fault(("pricing", *steps), message, f"write all prices in {currency}")


def _text_at(document: Document, steps: Steps) -> str:
    node = document.root
    for step in ("pricing", *steps):
        node = node[step]  # type: ignore[index]  # the model has accepted it
    return str(node)


def price_warnings(document: Document, file: PricingFile, pricing: Pricing) -> Iterator[Fault]:
    """A warning if every workload has the same price or the price 0, or if a listed price is 0."""
    smallest, largest = price(Demand(SMALLEST_WORKLOAD), pricing), price(Demand(LARGEST_WORKLOAD), pricing)
    if largest == 0:
        message = "at these prices everything is free; the chain rejects a bid of 0uve"
        yield document.warning(("pricing",), message, _RAISE, of_key=True)
        return
    for name, steps in price_places(file):
        if parse_price(_text_at(document, steps))[0] == 0 and name != "minimum":
            message = f"the price is 0: {_FREE.get(name, name.partition('.')[2])} is free"
            yield document.warning(("pricing", *steps), message, "write a price")
    if pricing.currency == DENOM and pricing.rounding is Rounding.UP and smallest == largest:
        message = f"at these prices everything costs {largest}uve per block, up to 64 cores with 256 GiB"
        yield document.warning(("pricing",), message, _RAISE, of_key=True)


_RAISE = "bids are rounded up to whole uve; raise the prices"
_FREE = {
    "cpu_millicores": "CPU",
    "memory_mb": "memory",
    "storage_mb": "storage",
    "gpu": "every GPU",
    "endpoint": "a public port",
    "leased_ip": "a leased IP address",
}
