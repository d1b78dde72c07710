"""The time window over which limits are measured: prices in force within it, and workloads disrupted within
it.

These facts are memory and survive a restart with the journal. Without a journal, the revision in force is
read from the repository's mirror: its prices are the reference, and every workload counts as served until the
chain is seen. Without any state the first revision is the reference, and only the absolute bounds
(`price_min`, `price_max`, signatures) protect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from reconciler.planning.revisions.disruptions import Disruption, disruptions, is_served
from reconciler.values.bounds import PriceRange, changed_entries, price_ranges, wider_name
from reconciler.values.desired import Desired
from reconciler.values.ids import WorkloadId
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory, PastDisruption, PriceSpan


class PriceChange(NamedTuple):
    """The ranges of a price that were in force within the window, and that of a new revision."""

    spans: tuple[PriceSpan, ...]
    after: PriceRange


SPANS = 24
"""Parts of a window; changes within one part share a span, which bounds memory however many commits arrive.
"""


def with_prices(memory: Memory, desired: Desired | None) -> Memory:
    """The memory with the prices of a revision, if it has no price in force."""
    if memory.prices or desired is None or desired.pricing is None:
        return memory
    return replace(memory, prices={name: (_span(each),) for name, each in price_ranges(desired).items()})


def price_changes(memory: Memory, change: tuple[Desired | None, Desired]) -> Mapping[str, PriceChange]:
    """By name, what each price was in force, and what it is under the new revision. The price of a table's
    entry that is added or removed is compared with the one that counts without the entry.
    """
    old, new = change
    known, ranges = with_prices(memory, old).prices, price_ranges(new)
    assert new.pricing is not None, "prices change from one file to another"
    found: dict[str, PriceChange] = {}
    for name in (*known, *(name for name in ranges if name not in known)):
        spans = known.get(name) or known.get(wider_name(name, (old and old.pricing) or new.pricing)) or ()
        after = ranges[name] if name in ranges else ranges[wider_name(name, new.pricing)]
        found[name] = PriceChange(spans, after)
    return found


def overlap_changes(
    memory: Memory, change: tuple[Desired | None, Desired]
) -> Iterator[tuple[str, PriceChange]]:
    """The changes of GPUs for which another entry of the table counts under the new revision. An entry that
    returns is also measured from its own prices within the window.
    """
    old, new = change
    if old is None or old.pricing is None or new.pricing is None:
        return
    known, ranges, before = with_prices(memory, old).prices, price_ranges(new), price_ranges(old)
    for name, counted, counts in changed_entries(old.pricing, new.pricing):
        spans = known.get(counted) or (_span(before[counted]),)
        returning = () if counts in before else known.get(counts, ())
        yield name, PriceChange((*returning, *spans), ranges[counts])


def price_range_since(spans: Sequence[PriceSpan], since: int) -> tuple[Decimal, Decimal]:
    """The lowest and the highest price in force since a time; the last span is in force now."""
    kept = [each for each in spans if not each.until or each.until > since]
    return min(each.low for each in kept), max(each.high for each in kept)


def price_since(memory: Memory) -> int:
    """When the prices in force came into force (unix seconds of the host); 0 if that is longer ago than the
    window.
    """
    return max((span.until for spans in memory.prices.values() for span in spans), default=0)


def too_far(price: Decimal, within: tuple[Decimal, Decimal], percent: int) -> Decimal | None:
    """The price in force within the window that this price exceeds by too much; None if it is within the
    bound.

    Any price between the lowest and the highest is allowed, as it widens nothing. Beyond them the change is
    measured from both, so that many small steps lead no further than a single one. Any change
    from 0 is too far.
    """
    low, high = within
    if low <= price <= high:
        return None
    for known in (high, low):
        if abs(price - known) * 100 > known * percent:
            return known
    return None


def count_disruptions(
    found: Mapping[WorkloadId, Disruption], memory: Memory, since: int
) -> tuple[frozenset[WorkloadId], frozenset[WorkloadId]]:
    """The workloads that a revision adds to those disrupted since a time, and all that count.

    Each counts once within the window, however often it is stopped or replaced, even if that is undone.
    Disruptions that the owner approved do not count, nor does reverting them; anything else does.
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


def record_applied(
    memory: Memory, change: tuple[Desired | None, Desired], limits: Limits, now: int, *, approved: bool
) -> Memory:
    """The memory after a change of the revision in force; the same object if nothing changes.

    `approved`: the owner approved its disruptions.
    """
    old, new = change
    since = now - limits.window_seconds
    prices = _prices(memory, change, limits, now)
    disrupted = {k: past for k, past in memory.disrupted.items() if past.at > since}
    if new.commit != memory.applied and (old is not None or memory.applied):
        found = disruptions(old, new, memory, limits.grants)
        for subject in found.keys() & count_disruptions(found, memory, since)[1]:
            disrupted[subject] = PastDisruption(now, approved, found[subject].before)
    return replace(
        memory,
        prices=memory.prices if prices == memory.prices else prices,
        disrupted=memory.disrupted if disrupted == memory.disrupted else disrupted,
    )


def _prices(
    memory: Memory, change: tuple[Desired | None, Desired], limits: Limits, now: int
) -> Mapping[str, tuple[PriceSpan, ...]]:
    """The spans with the prices in force now; without a pricing file the last ones stay the reference."""
    old, new = change
    if new.pricing is None:
        return with_prices(memory, old).prices
    current = price_ranges(new)
    found: dict[str, tuple[PriceSpan, ...]] = {}
    for name, (spans, after) in price_changes(memory, change).items():
        if spans and (spans[-1].low, spans[-1].high) != after:
            spans = (*_end_last_span(spans, now, limits.window_seconds), _span(after))
        kept = tuple(each for each in spans if not each.until or each.until > now - limits.window_seconds)
        if name in current or len(kept) > 1:
            found[name] = kept or (_span(after),)
    return found


def _span(price: PriceRange) -> PriceSpan:
    return PriceSpan(0, price.low, price.high)


def _end_last_span(spans: tuple[PriceSpan, ...], now: int, window_seconds: int) -> tuple[PriceSpan, ...]:
    """The spans with the last one ended; merged with the one before if that ended in the same part of the
    window.
    """
    *past, last = spans
    part = max(window_seconds // SPANS, 1)
    if past and past[-1].until // part == now // part:
        known = past.pop()
        last = PriceSpan(0, min(known.low, last.low), max(known.high, last.high))
    return (*past, replace(last, until=now))
