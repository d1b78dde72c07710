"""Measures how long usage-billed workloads ran, in chain time: between adjacent observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.planning.planning_input import MarketBasis
from reconciler.values.escrow import total_paid
from reconciler.values.ids import LeaseId, workload_id
from reconciler.values.memory import UsageMemory
from reconciler.values.observed import Lease, Market, OrderSettlement, State
from reconciler.values.readings import Seen

LONGEST_GAP_SECONDS = 60
"""Observations further apart than this, and than ten blocks, do not count the time between."""


def measure(basis: MarketBasis) -> dict[LeaseId, UsageMemory]:
    """The usage memory of each usage-billed lease that is active or not settled yet."""
    kept: dict[LeaseId, UsageMemory] = {}
    market = basis.market
    for lease in usage_billed_leases(basis):
        old = basis.memory.usage.get(lease.id)
        if lease.state is State.ACTIVE:
            kept[lease.id] = _measured(basis, lease, old)
        elif old is not None and _still_open(market, lease):
            kept[lease.id] = replace(old, seen_running=0)
    return kept


def usage_billed_leases(basis: MarketBasis) -> Sequence[Lease]:
    """The leases that are billed by usage."""
    leases = basis.market.leases
    return basis.decisions.reuse(
        "usage-billed leases", (leases,), lambda: [each for each in leases.values() if each.usage_billed]
    )


def _still_open(market: Market, lease: Lease) -> bool:
    escrow = market.settlements.get(lease.id.order, OrderSettlement(None)).escrow
    return escrow is not None and escrow.state is State.ACTIVE


def _measured(basis: MarketBasis, lease: Lease, old: UsageMemory | None) -> UsageMemory:
    market = basis.market
    side = market.settlements.get(lease.id.order, OrderSettlement(None))
    recorded = max((r.period_end for r in side.records if r.lease == str(lease.id)), default=0)
    seen = market.time if _runs(basis, lease.id) else 0
    if old is None or recorded > old.billed_until:
        paid = total_paid(market.accounts.get(lease.id.deployment), lease.payment, market.height)
        since = recorded if old is not None else max(recorded, market.time)
        return UsageMemory(since, 0, seen, paid)
    gap = market.time - old.seen_running
    longest = max(LONGEST_GAP_SECONDS, int(10 * market.block_seconds))
    proven = gap if seen and old.seen_running and 0 < gap <= longest else 0
    return replace(old, ran_seconds=old.ran_seconds + proven, seen_running=seen)


def _runs(basis: MarketBasis, lease: LeaseId) -> bool:
    for view in basis.adapters.values():
        if isinstance(view.workloads, Seen):
            running = view.workloads.view.get(workload_id(lease))
            if running is not None:
                return running.ready and not running.paused
    return False
