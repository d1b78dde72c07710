"""What was in force within the window that bounds look back on: prices, and what was done to workloads.

These facts are memory: they survive a restart with the journal. Without a journal the revision in force is
the one that the repository's mirror remembers: its prices are the reference, and every workload counts as
served until the chain was seen. Without any state the first revision is the reference: then the absolute
bounds (`price_min`, `price_max`, signatures) are what holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from reconciler.planning.disruptions import Disruption, disruptions, is_served
from reconciler.values.bounds import PRICES
from reconciler.values.desired import Desired, Pricing
from reconciler.values.ids import WorkloadId
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory, PastDisruption, PriceSpan

SPANS = 24
"""Parts of a window: what changes within one is one span, so that no number of commits makes memory grow."""


def charged(pricing: Pricing, name: str) -> Decimal:
    """A price with its margin."""
    price: Decimal = getattr(pricing, name)
    return price * (1 + pricing.profit_margin)


def with_prices(memory: Memory, pricing: Pricing | None) -> Memory:
    """The memory, where it knows no price in force, with these."""
    if memory.prices or pricing is None:
        return memory
    return replace(memory, prices={name: (_span(charged(pricing, name)),) for name in PRICES})


def in_force_within(spans: Sequence[PriceSpan], since: int) -> tuple[Decimal, Decimal]:
    """The lowest and the highest price that were in force after a moment; the last span is in force."""
    kept = [each for each in spans if not each.until or each.until > since]
    return min(each.low for each in kept), max(each.high for each in kept)


def too_far(price: Decimal, within: tuple[Decimal, Decimal], percent: int) -> Decimal | None:
    """The price in force within the window from which this one is too far; None: it may come into force.

    Between the lowest and the highest of them any price may: that is going back, and widens nothing. Beyond
    them it is measured from both, so that many small steps lead no further than one. What was free before has
    no percentage.
    """
    low, high = within
    if low <= price <= high:
        return None
    for known in (high, low):
        if known > 0 and abs(price - known) * 100 > known * percent:
            return known
    return None


def counted(
    found: Mapping[WorkloadId, Disruption], memory: Memory, since: int
) -> tuple[frozenset[WorkloadId], frozenset[WorkloadId]]:
    """Workloads that a revision adds to those disrupted since then, and all that count with them.

    Each counts once within the window, however often it is stopped or replaced, and no less when that is
    undone. What the owner approved does not count; undoing it by going back to what ran before does not
    either, anything else does.
    """
    recent = {k: past for k, past in memory.disrupted.items() if past.at > since}
    before = frozenset(k for k, past in recent.items() if not past.approved and is_served(memory, k))
    fresh = frozenset(
        subject
        for subject, each in found.items()
        if subject not in before
        and is_served(memory, subject)
        and not (subject in recent and each.after and recent[subject].before == each.after)
    )
    return fresh, before | fresh


def put_in_force(
    memory: Memory, change: tuple[Desired | None, Desired], limits: Limits, now: int, *, approved: bool
) -> Memory:
    """The memory once a revision is in force instead of another; the same object where nothing changes.

    `approved`: the owner approved what it does to workloads.
    """
    old, new = change
    since = now - limits.window_seconds
    prices = _prices(memory, change, limits, now)
    disrupted = {k: past for k, past in memory.disrupted.items() if past.at > since}
    if new.commit != memory.applied and (old is not None or memory.applied):
        found = disruptions(old, new, memory)
        for subject in found.keys() & counted(found, memory, since)[1]:
            disrupted[subject] = PastDisruption(now, approved, found[subject].before)
    return replace(
        memory,
        prices=memory.prices if prices == memory.prices else prices,
        disrupted=memory.disrupted if disrupted == memory.disrupted else disrupted,
    )


def _prices(
    memory: Memory, change: tuple[Desired | None, Desired], limits: Limits, now: int
) -> Mapping[str, tuple[PriceSpan, ...]]:
    """The spans with the prices that are in force now; without a pricing the last ones stay the reference."""
    old, new = change
    known = with_prices(memory, old.pricing if old else None).prices
    if new.pricing is None:
        return known
    found: dict[str, tuple[PriceSpan, ...]] = {}
    for name in PRICES:
        spans, price = known.get(name, ()), charged(new.pricing, name)
        if spans and spans[-1].low != price:
            spans = (*_closed(spans, now, limits.window_seconds), _span(price))
        kept = (each for each in spans if not each.until or each.until > now - limits.window_seconds)
        found[name] = tuple(kept) or (_span(price),)
    return found


def _span(price: Decimal) -> PriceSpan:
    return PriceSpan(0, price, price)


def _closed(spans: tuple[PriceSpan, ...], now: int, window_seconds: int) -> tuple[PriceSpan, ...]:
    """The last span ended, as part of the one before where that ended within the same part of the window."""
    *past, last = spans
    part = max(window_seconds // SPANS, 1)
    if past and past[-1].until // part == now // part:
        known = past.pop()
        last = PriceSpan(0, min(known.low, last.low), max(known.high, last.high))
    return (*past, replace(last, until=now))
