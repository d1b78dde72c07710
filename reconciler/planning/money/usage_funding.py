"""How long a lease that is billed by usage may be served: as long as its settlement escrow pays."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from reconciler.planning.money.settlement_escrow import (
    LANDING_BLOCKS,
    paying_escrow,
    records_of,
    unpaid,
    unsettled_uve,
)
from reconciler.planning.money.usage_metering import (
    LONGEST_GAP_BLOCKS,
    LONGEST_GAP_SECONDS,
    net_rate,
    usage_rate,
)
from reconciler.planning.planning_input import MarketBasis
from reconciler.values.desired import Config
from reconciler.values.funding import Funding, FundingSource, TimeLeft, funding_state
from reconciler.values.ids import workload_id
from reconciler.values.memory import UsageMemory
from reconciler.values.observed import Lease, Market, SettlementEscrow
from reconciler.values.resources import total

NOT_SERVED = TimeLeft(Funding.EXHAUSTED, 0, 0, source=FundingSource.SETTLEMENT)


def usage_left(basis: MarketBasis, lease: Lease) -> TimeLeft:
    """Until when the lease is served: until the escrow is used up at the present rate, or expires, or, if
    none pays, until `usage.unfunded_grace` is over. Exhausted: serving stops now.
    """
    market, config = basis.market, basis.desired.config or Config()
    usage = basis.memory.usage.get(lease.id, UsageMemory())
    if (refusal := unpaid(market, lease)) is not None:
        since = usage.unfunded_since or market.time
        grace = config.usage.unfunded_grace_seconds - (market.time - since)
        if refusal.is_final or grace <= 0:
            return NOT_SERVED
        return TimeLeft(Funding.UNFUNDED, None, grace, source=FundingSource.SETTLEMENT)
    escrow = paying_escrow(market, lease)
    assert escrow is not None, "unpaid is None"
    blocks = _blocks_left(market, lease, (escrow, usage), _present_rate(basis, lease, usage))
    seconds = int(blocks * market.block_seconds)
    low, critical = config.escrow.low_seconds, config.escrow.critical_seconds
    state = Funding.EXHAUSTED if blocks <= 0 else funding_state(seconds, low, critical)
    return TimeLeft(state, blocks, seconds, source=FundingSource.SETTLEMENT)


def _present_rate(basis: MarketBasis, lease: Lease, usage: UsageMemory) -> Decimal:
    """The uve a block that is billed now; if nothing runs, what its file asks for, at most what is leased."""
    pricing = basis.memory.pricing
    if any(service.ready for service in usage.services):
        return usage_rate(usage.services, lease, pricing)
    file = basis.desired.workloads.get(workload_id(lease.id))
    leased = total([unit.all for unit in lease.units])
    return net_rate(leased if file is None else leased.least(file.resources), lease, pricing)


def _blocks_left(
    market: Market, lease: Lease, paid_by: tuple[SettlementEscrow, UsageMemory], rate: Decimal
) -> int:
    """Blocks until serving stops. What is metered in one interval between observations must still be paid,
    and the closing of the lease, the last record and its settlement must be in blocks before the expiry.
    """
    escrow, usage = paid_by
    interval = max(LONGEST_GAP_BLOCKS, int(LONGEST_GAP_SECONDS / market.block_seconds))
    to_expiry = int((escrow.expires_at - market.time) / market.block_seconds)
    by_expiry = to_expiry - interval - 3 * LANDING_BLOCKS
    if not rate:
        return by_expiry
    room = escrow.balance - unsettled_uve(records_of(market, lease)) - usage.metered
    blocks = int(Fraction(room) / Fraction(rate))  # a Decimal quotient may have more digits than its context
    return min(blocks - interval, by_expiry)
