"""The price of an order, item by item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from reconciler.values.desired import Pricing, Rounding
from reconciler.values.money import plain
from reconciler.values.preview import Costs, Quote
from reconciler.values.pricing import EXACT_PRICE
from reconciler.values.times import format_duration

Row = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class BillItem:
    """A count of a resource, its unit price and its cost, in uve per block."""

    name: str
    count: str
    price: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Bill:
    """A price with its items, the income of a lease, and where the terms come from; `bid` is what would be
    bid on the order ("": it is none), `factor` the product of its multipliers.
    """

    items: tuple[BillItem, ...]
    pricing: Pricing
    quote: Quote
    costs: Costs
    terms: str
    bid: str = ""
    factor: Decimal = Decimal(1)


def bill_text(bill: Bill) -> str:
    """The bill as aligned lines."""
    rows = list(_rows(bill))
    widths = [max(len(row[at]) for row in rows) for at in range(3)]
    lines = [_line(row, widths) for row in rows]
    bid = [f"bid: {bill.bid}"] if bill.bid else []
    return "\n".join([*lines, "", *bid, bill.terms]) + "\n"


def bill_fields(bill: Bill) -> dict[str, object]:
    """The bill as a JSON object; amounts in uve, with decimals as text."""
    quote, costs = bill.quote, bill.costs
    return {
        "items": [
            {"name": i.name, "count": i.count, "price_uve": plain(i.price), "cost_uve": plain(i.cost)}
            for i in bill.items
        ],
        "margin": plain(bill.pricing.profit_margin),
        "multipliers": plain(bill.factor),
        "minimum_uve": plain(bill.pricing.minimum),
        "block_uve": plain(quote.rate),
        "bid": bill.bid,
        "hour_uve": plain(round(quote.hour, 6)),
        "day_uve": plain(round(quote.hour * 24, 6)),
        "month_uve": plain(round(quote.month, 6)),
        "month_fees_uve": costs.month_fees,
        "take_percent": costs.take_percent,
        "month_net_uve": quote.net,
        "break_even_seconds": quote.break_even_seconds,
        "block_seconds": plain(costs.block_seconds),
        "terms": bill.terms,
    }


def _rows(bill: Bill) -> Iterator[Row]:
    quote, costs, pricing = bill.quote, bill.costs, bill.pricing
    for item in bill.items:
        yield item.name, f"{item.count} x {plain(item.price)}uve", plain(item.cost)
    with localcontext(EXACT_PRICE):
        total = sum((item.cost for item in bill.items), Decimal(0))
        margin, priced = total * pricing.profit_margin, total * (1 + pricing.profit_margin)
        yield "together", "", plain(total)
        yield "margin", f"{plain(pricing.profit_margin * 100)} %", plain(margin)
        if pricing.multipliers:
            yield "multipliers", f"x {plain(bill.factor)}", plain(priced * (bill.factor - 1))
        if priced * bill.factor < pricing.minimum:
            yield "minimum", "of a lease", plain(pricing.minimum)
    yield "a block", _rounding(pricing), plain(quote.rate)
    yield "an hour", f"at {plain(costs.block_seconds)} s a block", _short(quote.hour)
    yield "a day", "", _short(quote.hour * 24)
    yield "30 days", "", _short(quote.month)
    yield "take fee", f"{costs.take_percent} %, the chain's", _short(-quote.month * costs.take_percent / 100)
    yield "our fees", "bid, withdrawals, closing", str(-costs.month_fees)
    yield "net of 30 days", "", str(quote.net)
    seconds = quote.break_even_seconds
    yield (
        "fees earned back in",
        "bid, one withdrawal, closing",
        "never" if seconds is None else format_duration(seconds),
    )


def _rounding(pricing: Pricing) -> str:
    if pricing.rounding is Rounding.NONE:
        return "not rounded"
    return "rounded up to " + (
        "whole uve" if pricing.rounding_step == 1 else f"multiples of {pricing.rounding_step}uve"
    )


def _short(amount: Decimal) -> str:
    return plain(round(amount, 2))


def _line(row: Row, widths: Sequence[int]) -> str:
    name, how, amount = row
    return f"{name.ljust(widths[0])}   {how.ljust(widths[1])}   {amount.rjust(widths[2])}"
