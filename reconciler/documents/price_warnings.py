"""What is valid and most likely not meant."""

from decimal import Decimal

from reconciler.documents.tree import Document
from reconciler.values.desired import Fault, Pricing, Rounding
from reconciler.values.money import ceil_uve
from reconciler.values.resources import MB, Resources

SMALL = Resources(cpu_milli=100, memory_bytes=128 * MB, storage_bytes=512 * MB)
LARGE = Resources(cpu_milli=64_000, memory_bytes=262_144 * MB, storage_bytes=1_048_576 * MB, gpu=1)


def price_warnings(document: Document, pricing: Pricing) -> tuple[Fault, ...]:
    """One warning where the prices tell no workload apart, or are nothing at all."""
    small, large = _price(pricing, SMALL), _price(pricing, LARGE)
    if large == 0:
        return (_warning(document, "at these prices everything is free; the chain takes no bid of 0uve"),)
    if pricing.rounding is Rounding.UP and ceil_uve(small) == ceil_uve(large):
        price = ceil_uve(large)
        return (
            _warning(
                document, f"at these prices everything costs {price}uve a block, up to 64 cores with 256 GiB"
            ),
        )
    return ()


def _warning(document: Document, message: str) -> Fault:
    place = document.place(("pricing",), of_key=True)
    advice = "a bid is rounded up to whole uve; raise the prices"
    return Fault(
        document.path, place.line, place.column, f"pricing: {message}", advice, warning=True, rule="prices"
    )


def _price(pricing: Pricing, wanted: Resources) -> Decimal:
    return (1 + pricing.profit_margin) * (
        wanted.cpu_milli * pricing.cpu_millicores
        + wanted.memory_bytes // MB * pricing.memory_mb
        + wanted.storage_bytes // MB * pricing.storage_mb
        + wanted.gpu * pricing.gpu
    )
