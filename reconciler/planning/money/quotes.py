"""Quotes: the revenue of a lease at our prices per hour and month, and what remains after fees."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from math import ceil

from reconciler.planning.money.fees import Fees
from reconciler.values.desired import Pricing, Withdrawals
from reconciler.values.limits import Limits
from reconciler.values.money import EXACT, floor_uve
from reconciler.values.observed import ChainParams, Market
from reconciler.values.preview import Quote
from reconciler.values.pricing import price
from reconciler.values.resources import MB, Demand, Resources
from reconciler.values.times import HOUR_SECONDS, MONTH_SECONDS

REFERENCES = (
    ("small", Resources(500, 512 * MB, 1_024 * MB)),
    ("medium", Resources(4_000, 8_192 * MB, 51_200 * MB)),
    ("GPU", Resources(8_000, 32_768 * MB, 102_400 * MB, 1)),
)
"""Reference orders for quotes."""


@dataclass(frozen=True, slots=True)
class QuoteTerms:
    """What besides prices determines a lease's revenue: the chain's rules and block time, our fees, and the
    withdrawal interval.
    """

    rules: ChainParams
    block_seconds: Decimal
    fees: Fees
    draw_seconds: int

    @classmethod
    def of(cls, market: Market, limits: Limits, withdrawals: Withdrawals) -> QuoteTerms:
        """The terms of a chain view."""
        fees = Fees.under(market.rules, limits)
        return cls(market.rules, market.block_seconds, fees, withdrawals.every_seconds)

    @property
    def month_fees(self) -> int:
        """The fees of a lease that lives 30 days, in uve: bid, withdrawals, closing."""
        draws = max(1, MONTH_SECONDS // max(self.draw_seconds, 1))
        return self.fees.lease_costs + (draws - 1) * self.fees.withdrawal


def quote(demand: Demand, pricing: Pricing, terms: QuoteTerms) -> Quote:
    """The quote of a lease while the tenant pays; amounts in uve."""
    rate = price(demand, pricing)
    with localcontext(prec=EXACT.prec):
        hour = rate * HOUR_SECONDS / terms.block_seconds
        month = rate * MONTH_SECONDS / terms.block_seconds
        net = floor_uve(month * (100 - terms.rules.take_percent) / 100) - terms.month_fees
    seconds = None
    if rate > 0:
        blocks = terms.fees.break_even_blocks(rate, terms.rules.take_percent)
        seconds = ceil(blocks * terms.block_seconds)
    return Quote(rate, hour, month, net, seconds)
