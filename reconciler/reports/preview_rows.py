"""Prices and capacity as rows of a table: old, an arrow, new."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from reconciler.values.money import grouped
from reconciler.values.preview import FreeCapacity, Price, Quote
from reconciler.values.resources import MB

Cell = str

UNITS = (
    ("cpu", "cpu_milli", 1, "m"),
    ("memory", "memory_bytes", MB, " MB"),
    ("storage", "storage_bytes", MB, " MB"),
    ("gpu", "gpu", 1, ""),
)
"""Resources: name, field, divisor, unit."""


def price_row(price: Price) -> tuple[Cell, ...]:
    """Name, price a block, change in percent, net of 30 days."""
    return (
        price.name,
        _format_pair(price, lambda quote: grouped(quote.rate)),
        change_text(percent(price)),
        _format_pair(price, lambda quote: f"{quote.net:,}"),
    )


def size_text(price: Price) -> str:
    """The resources of a reference order."""
    resources = price.resources
    gpu = f", {resources.gpu} gpu" if resources.gpu else ""
    disk = f", disk {resources.storage_bytes // MB:,} MB" if resources.storage_bytes else ""
    return f"{price.name} is {resources.cpu_milli:,}m, {resources.memory_bytes // MB:,} MB{disk}{gpu}"


def percent(price: Price) -> Decimal | None:
    """The change of a price; None without an old or a new one."""
    if price.old is None or price.new is None or price.old.rate == 0:
        return None
    return round((price.new.rate - price.old.rate) * 100 / price.old.rate, 1)


def change_text(change: Decimal | None) -> str:
    """`+39.6 %`."""
    if change is None:
        return "-"
    return f"{'+' if change > 0 else ''}{grouped(change)} %" if change else "0 %"


def room_rows(before: FreeCapacity, after: FreeCapacity) -> Iterator[tuple[Cell, ...]]:
    """A row per resource: what may be promised, and what is free."""
    for name, field, unit, sign in UNITS:
        cells = []
        for part in ("usable", "free"):
            old, new = (getattr(getattr(room, part), field) // unit for room in (before, after))
            cells.append(f"{old:,}{sign}" if old == new else f"{old:,}{sign} -> {new:,}{sign}")
        yield (name, *cells)


def _format_pair(price: Price, show: Callable[[Quote], str]) -> str:
    old, new = (show(quote) if quote else "-" for quote in (price.old, price.new))
    return old if old == new else f"{old} -> {new}"
