"""Meters usage-billed workloads: the blocks between adjacent observations in which their replicas ran, each
at the price in force then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, localcontext

from reconciler.planning.money.fees import Fees
from reconciler.planning.money.settlement_escrow import (
    net_of_settlement,
    paying_escrow,
    records_of,
    unsettled_uve,
)
from reconciler.planning.planning_input import MarketBasis
from reconciler.planning.workloads import digest_of
from reconciler.values.desired import Config, Pricing, Usage, UsageMeter
from reconciler.values.ids import LeaseId, workload_id
from reconciler.values.inspection import ServiceUse
from reconciler.values.measured_use import MeasuredUse, added
from reconciler.values.memory import MeteredService, UsageMemory
from reconciler.values.money import EXACT, floor_uve
from reconciler.values.observed import Lease, ObservedWorkload, State, UsageRecord
from reconciler.values.pricing import as_ordered, price
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.resources import Resources, total

LONGEST_GAP_SECONDS = 60
LONGEST_GAP_BLOCKS = 10
"""Observations that are further apart than both do not show that a workload ran in between."""

FEES_MAY_FALL = 10
"""An ended lease's usage is dropped only if the fees of its bill are more than so many times as high."""

Services = tuple[MeteredService, ...]


def measure(basis: MarketBasis) -> dict[LeaseId, UsageMemory]:
    """The usage memory of each usage-billed lease that is active, or ended and not settled yet."""
    kept: dict[LeaseId, UsageMemory] = {}
    for lease in usage_billed_leases(basis):
        if (memory := _measure(basis, lease)) is not None:
            kept[lease.id] = memory
    return kept


def usage_billed_leases(basis: MarketBasis) -> Sequence[Lease]:
    """The leases that are billed by usage."""
    leases = basis.market.leases
    return basis.decisions.reuse(
        "usage-billed leases", (leases,), lambda: [each for each in leases.values() if each.usage_billed]
    )


def _measure(basis: MarketBasis, lease: Lease) -> UsageMemory | None:
    market = basis.market
    old = basis.memory.usage.get(lease.id)
    is_active = lease.state is State.ACTIVE
    escrow = paying_escrow(market, lease)
    if escrow is None:
        since = (old.unfunded_since if old else 0) or market.time
        kept = replace(old or UsageMemory(), unfunded_since=since)  # the escrow may be shown again
        rules = basis.desired.config.usage if basis.desired.config else Usage()
        is_recent = bool(kept.metered) and market.time - since < rules.unfunded_grace_seconds
        return kept if is_active or is_recent else None
    if old is None and not is_active:
        return None
    records = records_of(market, lease)
    begins = max((r.period_end for r in records), default=0)
    period = _current_period(old, max(begins, escrow.activated_at), market.time)
    if is_active:
        return _observe(basis, lease, period)
    return period if _may_pay(basis, period, records) else None


def _may_pay(basis: MarketBasis, period: UsageMemory, records: tuple[UsageRecord, ...]) -> bool:
    """Whether anything that an ended lease used may become worth the fees of its bill. Nothing is added to
    it, so otherwise it need not be looked at until its escrow expires. Fees may fall to a tenth.
    """
    fees = Fees.under(basis.market.rules, basis.limits)
    rules, recorded = basis.market.rules, unsettled_uve(records)
    settled = net_of_settlement(recorded, rules)
    billed = net_of_settlement(recorded + floor_uve(period.metered), rules)
    return FEES_MAY_FALL * settled > fees.settle or (
        bool(period.metered) and FEES_MAY_FALL * billed > fees.record_and_settle
    )


def _current_period(old: UsageMemory | None, begins: int, now: int) -> UsageMemory:
    """The period that is metered: from `begins`, the end of the last record on the chain, even if that is of
    another journal, or the escrow's activation; from now on if nothing was metered before.
    """
    if old is None or not old.billed_until:
        return UsageMemory(billed_until=max(begins, now))
    if begins > old.billed_until:
        return UsageMemory(billed_until=begins, services=tuple(replace(s, ready=0) for s in old.services))
    return replace(old, unfunded_since=0) if old.unfunded_since else old


def _observe(basis: MarketBasis, lease: Lease, old: UsageMemory) -> UsageMemory:
    """With the blocks since the last observation; unchanged while the workload's adapter is unseen."""
    market = basis.market
    running = _running(basis, lease.id)
    if isinstance(running, Unseen):
        return old
    services = _with_use(basis, lease.id, _services(basis, running, old.services))
    blocks = market.height - old.seen_height
    is_near = blocks <= LONGEST_GAP_BLOCKS or market.time - old.seen_at <= LONGEST_GAP_SECONDS
    ran = _least(old.services, services)
    found = replace(old, seen_height=market.height, seen_at=market.time, services=services)
    if not (old.seen_height and blocks > 0 and is_near and any(s.ready for s in ran)):
        return found
    with localcontext(EXACT):
        metered = old.metered + usage_rate(ran, lease, basis.memory.pricing) * blocks
    measured = added(old.measured, (_use_in(each, blocks) for each in ran if each.used))
    return replace(found, metered=metered, blocks=old.blocks + blocks, measured=measured)


def _use_in(service: MeteredService, blocks: int) -> MeasuredUse:
    used = service.used or Resources()
    return MeasuredUse(service.name, blocks, used.cpu_milli * blocks, used.memory_bytes * blocks)


def usage_rate(services: Services, lease: Lease, pricing: Pricing | None) -> Decimal:
    """The uve a block that the ready replicas are billed: their price, less what the lease itself pays for
    the same block.
    """
    return net_rate(total([s.billed for s in services]), lease, pricing)


def net_rate(resources: Resources, lease: Lease, pricing: Pricing | None) -> Decimal:
    """The price of resources in uve a block, less what the lease pays; 0 without prices."""
    if pricing is None:
        return Decimal(0)
    leased = lease.demand
    ran = replace(leased, resources=as_ordered(resources, leased.resources, pricing))
    with localcontext(EXACT):
        return max(price(ran, pricing) - lease.payment.rate, Decimal(0))


def _running(basis: MarketBasis, lease: LeaseId) -> ObservedWorkload | Unseen | None:
    """The lease's workload as an adapter shows it; Unseen if none does and one is unseen."""
    unseen: Unseen | None = None
    for view in basis.adapters.values():
        if isinstance(view.workloads, Unseen):
            unseen = view.workloads
        elif (running := view.workloads.view.get(workload_id(lease))) is not None:
            return running
    return unseen


def measured_use(basis: MarketBasis, lease: LeaseId) -> Reading[tuple[ServiceUse, ...]]:
    """What the services of the lease's workload use, as its adapter measures it."""
    workload = workload_id(lease)
    for name, view in sorted(basis.adapters.items()):
        if isinstance(view.workloads, Seen) and workload in view.workloads.view:
            if view.use is None:
                return Unseen(
                    f"adapter {name} measures no use: set usage.meter: requests, or move it to a cluster"
                )
            return view.use if isinstance(view.use, Unseen) else Seen(view.use.view.get(workload, ()))
    return Unseen("no adapter shows its workload")


def is_measured(basis: MarketBasis) -> bool:
    """Whether what is measured is billed."""
    return (basis.desired.config or Config()).usage.meter is UsageMeter.METRICS


def _with_use(basis: MarketBasis, lease: LeaseId, services: Services) -> Services:
    """The services with what they use, if that is billed; a service whose pods are not all measured yet is
    billed for those that are.
    """
    if not is_measured(basis):
        return services
    reading = measured_use(basis, lease)
    use = {each.service: each for each in reading.view} if isinstance(reading, Seen) else {}
    return tuple(_measured(each, use.get(each.name)) for each in services)


def _measured(service: MeteredService, use: ServiceUse | None) -> MeteredService:
    if use is None:
        return replace(service, measured=True, used=None)
    used = Resources(use.cpu_milli, use.memory_bytes)
    return replace(service, measured=True, ready=min(service.ready, use.pods), used=used)


def _services(basis: MarketBasis, running: ObservedWorkload | None, known: Services) -> Services:
    """The ready replicas with their sizes: those of the file that was applied, else the known ones."""
    if running is None:
        return tuple(replace(s, ready=0) for s in known)
    counts = {} if running.paused or running.removing else dict(running.ready_by_service)
    file = basis.desired.workloads.get(running.id)
    if file is not None and digest_of(replace(file, paused=running.paused)) == running.digest:
        sizes = {service.name: service.resources for service in file.services}
    else:
        sizes = {service.name: service.size for service in known}
    return tuple(MeteredService(name, size, counts.get(name, 0)) for name, size in sorted(sizes.items()))


def _least(before: Services, now: Services) -> Services:
    """The replicas that ran at both observations, in one size."""
    sizes = {(s.name, s.size): s.ready for s in before}
    return tuple(replace(s, ready=min(s.ready, sizes.get((s.name, s.size), 0))) for s in now)
