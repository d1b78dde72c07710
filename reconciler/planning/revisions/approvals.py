"""Limits that the host owner may approve to be exceeded, and how long an approval is valid.

Three limits can be approved, as they limit the size of a single change, which a person can review:
`price_change_percent`, `removals_per_revision`, and `spend_per_hour` (the same amount again, within the hour
after the approval). To change the others, edit the host file: `price_min`, `price_max` and `balance_reserve`
are absolute, signers and `allow_rewrite` define who is trusted, and limits per cycle or hour resolve by
waiting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from reconciler.planning.planning_input import PlanningInput
from reconciler.planning.revisions.disruptions import disruptions
from reconciler.planning.revisions.window import (
    count_disruptions,
    overlap_changes,
    price_changes,
    price_range_since,
    too_far,
)
from reconciler.values.approvals import Approval, Breach
from reconciler.values.bounds import LEASE_PRICES, unit_prices
from reconciler.values.desired import Desired
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory
from reconciler.values.money import DENOM, show_rate
from reconciler.values.plans import Hold, Reason
from reconciler.values.readings import Unseen
from reconciler.values.subjects import REPOSITORY, Subject
from reconciler.values.times import format_duration

PRICE_CHANGE, REMOVALS, SPENDING = "price_change_percent", "removals_per_revision", "spend_per_hour"
SPENDING_SECONDS = 3_600
"""How long an approval of more spending lasts; other approvals lapse when the effects are applied."""


@dataclass(frozen=True, slots=True)
class HeldBreach:
    """An exceeded limit, and its holds while it is not approved."""

    breach: Breach
    holds: tuple[Hold, ...]


def held_breaches(inputs: PlanningInput, memory: Memory) -> Iterator[HeldBreach]:
    """The limits that the newest revision exceeds, measured against what was in force within the window; a
    revision that is in force already exceeds none.
    """
    assert not isinstance(inputs.desired, Unseen), "there is a newest revision"
    revisions, limits = inputs.desired.view, inputs.limits
    new, old = revisions.newest.desired, revisions.applied.desired if revisions.applied else None
    if new.commit == memory.applied or (old is None and not memory.applied):
        return
    jumps = dict(price_jumps((old, new), memory, limits, inputs.now))
    if jumps:
        breach = Breach(new.commit, PRICE_CHANGE, str(limits.price_change_percent), tuple(jumps))
        yield HeldBreach(breach, tuple(_jump_hold(breach, *each) for each in jumps.items()))
    found = disruptions(old, new, memory, limits.grants)
    fresh, all_counted = count_disruptions(found, memory, inputs.now - limits.window_seconds)
    if fresh and len(all_counted) > limits.removals_per_revision:
        objects = tuple(each.what for _, each in sorted(found.items()))
        breach = Breach(new.commit, REMOVALS, str(limits.removals_per_revision), objects)
        yield HeldBreach(breach, (_removal_hold(breach, len(fresh), len(all_counted), limits),))


def spending_breach(revision: str, limits: Limits, address: str) -> Breach:
    """Spending from this account above the hourly limit, while this revision is in force."""
    objects = (f"account {address} spends as much again within an hour",)
    return Breach(revision, SPENDING, f"{limits.spend_per_hour}{DENOM}", objects)


def with_approvals(memory: Memory, fresh: tuple[Approval, ...]) -> Mapping[str, Approval]:
    """Digest -> approval, earlier ones merged with new ones; the later of two counts."""
    if not fresh:
        return memory.approvals
    return {**memory.approvals, **{each.breach.digest: each for each in fresh}}


def current_approvals(
    inputs: PlanningInput, memory: Memory, breaches: tuple[Breach, ...], desired: Desired
) -> Mapping[str, Approval]:
    """The approvals that still apply: their breach is current and unchanged.

    A lapsed approval is not restored if its breach recurs.
    """
    wanted = {breach.digest for breach in breaches}
    market = inputs.seen_market
    if market is not None:
        wanted.add(spending_breach(desired.commit, inputs.limits, market.wallet.address).digest)
    kept: dict[str, Approval] = {}
    for digest, each in memory.approvals.items():
        blind = market is None if each.breach.limit == SPENDING else isinstance(inputs.desired, Unseen)
        recent = each.breach.limit != SPENDING or abs(inputs.now - each.at) < SPENDING_SECONDS
        if recent and (blind or digest in wanted):
            kept[digest] = each
    return memory.approvals if len(kept) == len(memory.approvals) else kept


def price_jumps(
    change: tuple[Desired | None, Desired], memory: Memory, limits: Limits, now: int
) -> Iterator[tuple[str, str]]:
    """Price changes beyond the limit: a description that is independent of the window, and a clause that
    names the window.
    """
    old, new = change
    if new.pricing is None or limits.price_change_percent is None:
        return
    changes = (*price_changes(memory, change).items(), *overlap_changes(memory, change))
    for name, (spans, after) in changes:
        if not spans:
            continue
        within = price_range_since(spans, now - limits.window_seconds)
        for before, price in ((spans[-1].high, after.high), (spans[-1].low, after.low)):
            known = too_far(price, within, limits.price_change_percent)
            if known is not None:
                window = format_duration(limits.window_seconds)
                since = f" within {window}, in which it was {show_rate(known)} with its margin"
                yield _jump((old, new), name, (before, price)), " at once" if known == before else since
                break


def _jump(change: tuple[Desired | None, Desired], name: str, range_ends: tuple[Decimal, Decimal]) -> str:
    """What happens to a price: the unit prices if nothing else changes, else with all that is added."""
    old, new = (each.pricing if each else None for each in change)
    assert new is not None, "a price jumps to another"
    plain = [unit_prices(each).get(name) for each in (old, new) if each]
    parts = [(each.profit_margin, each.multipliers, each.factor_min) for each in (old, new) if each]
    same_parts = name in LEASE_PRICES or parts[0] == parts[-1]
    is_plain = len(plain) == 2 and None not in plain and plain[0] != plain[1] and same_parts
    first, last = plain if is_plain else range_ends
    assert first is not None, "only plain prices are shown plainly"
    assert last is not None, "only plain prices are shown plainly"
    added = "" if is_plain else " with its margin" + " and multipliers" * bool(new.multipliers)
    strategies = [each.config.bidding.strategy if each and each.config else None for each in change]
    by = f" by the strategy {strategies[1]}" if strategies[0] != strategies[1] and not is_plain else ""
    return f"{name}{added} goes from {show_rate(first)} to {show_rate(last)}{by}"


def _jump_hold(breach: Breach, jump: str, since: str) -> Hold:
    why = f"{jump}, more than the {breach.value} % that the host file allows{since}; {_remedy(breach)}"
    return Hold(Subject.of_file("pricing.yaml"), Reason.PRICE_JUMP, why, ours=True, approval=breach.digest)


def _removal_hold(breach: Breach, fresh: int, all_counted: int, limits: Limits) -> Hold:
    within = f" within {format_duration(limits.window_seconds)}"
    earlier = f", after {all_counted - fresh} others{within}" if all_counted > fresh else ""
    why = (
        f"commit {breach.revision[:12]} stops, moves or replaces {fresh} workloads of active leases "
        f"({breach.object_list}){earlier}; the host file's {REMOVALS} allows {breach.value}"
        f"{within}; {_remedy(breach)}"
    )
    return Hold(REPOSITORY, Reason.MASS_REMOVAL, why, ours=True, approval=breach.digest)


def _remedy(breach: Breach) -> str:
    return f"revert the commit, or approve it: `{breach.command}` on the host"
