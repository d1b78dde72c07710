"""Fees and earnings of the last day, summed by hour, and how long the balance lasts at that rate. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.planning.planning_input import MarketBasis
from reconciler.values.memory import HourTotals, WalletLedger
from reconciler.values.plans import Hold, Reason
from reconciler.values.subjects import PROVIDER
from reconciler.values.times import DAY_SECONDS, HOUR_SECONDS, format_duration

LOW_SECONDS = (HOUR_SECONDS, 6 * HOUR_SECONDS, DAY_SECONDS, 3 * DAY_SECONDS)
"""The remaining times of the balance that are reported, the shortest first."""


def with_totals(ledger: WalletLedger, at: int, *, fees: int = 0, earned: int = 0) -> WalletLedger:
    """The ledger with fees or earnings of a block at this time added to those of its hour, without the hours
    that ended more than a day ago.
    """
    began_at = at - at % HOUR_SECONDS
    hours = [each for each in ledger.hours if each.began_at > began_at - DAY_SECONDS - HOUR_SECONDS]
    same = next((each for each in hours if each.began_at == began_at), HourTotals(began_at))
    added = replace(same, fees=same.fees + fees, earned=same.earned + earned)
    kept = [*(each for each in hours if each.began_at != began_at), added]
    return replace(ledger, hours=tuple(sorted(kept, key=lambda each: each.began_at)))


def day_fees(ledger: WalletLedger | None, now: int) -> int:
    """The fees of the last day, with those of the whole hour in which it begins."""
    return sum(each.fees for each in _last_day(ledger, now))


def is_balance_falling(ledger: WalletLedger | None, now: int) -> bool | None:
    """Whether something was lost within the last day; None while the balance is not known."""
    if ledger is None or ledger.balance is None:
        return None
    return sum(each.earned for each in _last_day(ledger, now)) < 0


def balance_seconds_left(ledger: WalletLedger | None, reserve: int, now: int) -> int | None:
    """How long the balance stays above the reserve, if as much is lost a day as within the last one; None
    unless it falls.

    A loss is what is earned if it is negative: deposits and transfers to others are none. A ledger that is
    younger than a day is compared with its age, of at least an hour.
    """
    if ledger is None or ledger.balance is None or not is_balance_falling(ledger, now):
        return None
    lost = -sum(each.earned for each in _last_day(ledger, now))
    elapsed = min(max(now - ledger.began_at, HOUR_SECONDS), DAY_SECONDS)
    return max(ledger.balance - reserve, 0) * elapsed // lost


def low_balance(basis: MarketBasis) -> Iterator[Hold]:
    """A warning while the balance lasts less than three days; its words change only with the threshold."""
    left = balance_seconds_left(basis.memory.ledger, basis.limits.balance_reserve, basis.market.time)
    below = next((each for each in LOW_SECONDS if left is not None and left < each), None)
    if below is not None:
        why = (
            f"at the rate of the last day, the balance falls to the reserve within {format_duration(below)}; "
            f"send uve to {basis.market.wallet.address}"
        )
        yield Hold(PROVIDER, Reason.LOW_BALANCE, why, ours=True)


def _last_day(ledger: WalletLedger | None, now: int) -> Iterator[HourTotals]:
    for each in ledger.hours if ledger else ():
        if each.began_at > now - DAY_SECONDS - HOUR_SECONDS:
            yield each
