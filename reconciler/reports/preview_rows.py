"""Prices and capacity as rows of a table: old, an arrow, new."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from reconciler.values.money import plain
from reconciler.values.preview import Price, Quote, Room
from reconciler.values.resources import MB, Resources

Cell = str

UNITS = (
    ("cpu", "cpu_milli", 1, "m"),
    ("memory", "memory_bytes", MB, " MB"),
    ("storage", "storage_bytes", MB, " MB"),
    ("gpu", "gpu", 1, ""),
)
"""What capacity is told in: name, field, divisor, sign."""


def price_row(price: Price) -> tuple[Cell, ...]:
    """Name, price a block, change, an hour, 30 days, net of them, time to earn the fees back."""
    return (
        f"{price.name} ({_size(price.resources)})",
        _both(price, lambda quote: plain(quote.rate)),
        _percent(price.old, price.new),
        _both(price, lambda quote: _whole(quote.hour)),
        _both(price, lambda quote: _whole(quote.month)),
        _both(price, lambda quote: f"{quote.net:,}"),
        _both(price, _until_earned),
    )


def room_rows(before: Room, after: Room) -> Iterator[tuple[Cell, ...]]:
    """A row for each kind of resource: what may be promised, what is free."""
    for name, field, unit, sign in UNITS:
        cells = []
        for part in ("usable", "free"):
            old, new = (getattr(getattr(room, part), field) // unit for room in (before, after))
            cells.append(f"{old}{sign}" if old == new else f"{old}{sign} -> {new}{sign}")
        yield (name, *cells)


def _size(resources: Resources) -> str:
    gpu = f", {resources.gpu} gpu" if resources.gpu else ""
    disk = f", disk {resources.storage_bytes // MB} MB" if resources.storage_bytes else ""
    return f"{resources.cpu_milli}m, {resources.memory_bytes // MB} MB{disk}{gpu}"


def _both(price: Price, show: Callable[[Quote], str]) -> str:
    old, new = (show(quote) if quote else "-" for quote in (price.old, price.new))
    return old if old == new else f"{old} -> {new}"


def _percent(old: Quote | None, new: Quote | None) -> str:
    if old is None or new is None or old.rate == 0:
        return "-"
    change = (new.rate - old.rate) * 100 / old.rate
    return f"{round(change, 1):+f}".rstrip("0").rstrip(".") + " %" if change else "0 %"


def _whole(amount: Decimal) -> str:
    return plain(round(amount, 2)) if amount < 10 else f"{round(amount):,}"


def _until_earned(quote: Quote) -> str:
    if quote.break_even_seconds is None:
        return "never"
    if quote.break_even_seconds < 120:
        return f"{quote.break_even_seconds} s"
    minutes = -(-quote.break_even_seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{plain(Decimal(round(minutes / 60, 1)))} h"
