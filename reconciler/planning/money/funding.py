"""Low escrow funds: one notice to the tenant per state, and a pause if configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler.planning.money.escrow import blocks_left, due_gross
from reconciler.planning.planning_input import MarketBasis
from reconciler.planning.retries import retry_hold
from reconciler.values.desired import Desired, Escrow, OnCritical
from reconciler.values.funding import Funding, TimeLeft
from reconciler.values.ids import LeaseId, workload_id
from reconciler.values.observed import Lease, Market, State
from reconciler.values.plans import Hold, NotifyTenant, Reason, effect_key
from reconciler.values.subjects import Subject
from reconciler.values.times import format_duration
from reconciler.values.work import NOTICES, WorkKey


def time_left(market: Market, lease: Lease, rules: Escrow) -> TimeLeft:
    """The lease's funding now: blocks left by the formula of semantics 4.6, times the measured block time."""
    account = market.accounts.get(lease.id.deployment)
    if account is None or account.state is not State.OPEN:
        return TimeLeft(Funding.EXHAUSTED if account else Funding.HEALTHY)
    blocks = blocks_left(account, market.height)
    due = due_gross(account, lease.id, market.height)
    if blocks is None:
        return TimeLeft(Funding.HEALTHY, accrued_uve=due)
    seconds = int(blocks * market.block_seconds)
    if blocks < 0:
        state = Funding.EXHAUSTED
    elif seconds < rules.critical_seconds:
        state = Funding.CRITICAL
    elif seconds < rules.low_seconds:
        state = Funding.LOW
    else:
        state = Funding.HEALTHY
    return TimeLeft(state, blocks, seconds, due)


def rules_of(desired: Desired) -> Escrow:
    """The thresholds in force."""
    return desired.config.escrow if desired.config else Escrow()


def funding_by_lease(market: Market, desired: Desired) -> Mapping[LeaseId, TimeLeft]:
    """The funding of every active lease."""
    rules = rules_of(desired)
    return {
        lease.id: time_left(market, lease, rules)
        for lease in market.leases.values()
        if lease.state is State.ACTIVE
    }


def plan_funding(basis: MarketBasis) -> Iterator[NotifyTenant | Hold]:
    """A hold per account with low funds, and one notice per state if the host file names a receiver."""
    rules = rules_of(basis.desired)
    for lease, left in basis.funding.items():
        if left.state is Funding.HEALTHY:
            continue
        if left.state is not Funding.EXHAUSTED:
            yield Hold(Subject.of_workload(lease), _REASONS[left.state], _sentence(left, rules), ours=True)
        notice = NotifyTenant(lease, left)
        if (
            basis.sends_notices
            and effect_key(notice) not in basis.memory.notified
            and not _is_in_flight(basis, notice)
        ):
            subject = Subject.of_workload(lease)
            yield retry_hold(basis.memory, notice, subject, basis.now) or notice


def _is_in_flight(basis: MarketBasis, notice: NotifyTenant) -> bool:
    """Whether the lease's notice of this state is being sent."""
    flying = basis.in_flight.get(WorkKey(NOTICES, workload_id(notice.lease)))
    return flying is not None and effect_key(flying) == effect_key(notice)


_REASONS = {Funding.LOW: Reason.ESCROW_LOW, Funding.CRITICAL: Reason.ESCROW_CRITICAL}


def _sentence(left: TimeLeft, rules: Escrow) -> str:
    """The remaining time is left out, as it changes with every block."""
    if left.state is Funding.LOW:
        low = format_duration(rules.low_seconds)
        return f"its deployment's funds last less than {low}; the tenant may deposit more"
    stops = "; it is paused until more is deposited" if rules.on_critical is OnCritical.PAUSE else ""
    return f"its deployment's funds last less than {format_duration(rules.critical_seconds)}{stops}"


def paused_by_funding(desired: Desired, funding: Mapping[LeaseId, TimeLeft]) -> Desired:
    """The desired state with critically funded workloads paused, if `escrow.on_critical` is `pause`."""
    if rules_of(desired).on_critical is not OnCritical.PAUSE:
        return desired
    ending = (x for x, left in funding.items() if left.state in (Funding.CRITICAL, Funding.EXHAUSTED))
    files = (desired.workloads.get(workload_id(lease)) for lease in ending)
    stopped = {file.id: replace(file, paused=True) for file in files if file is not None}
    return replace(desired, workloads={**desired.workloads, **stopped}) if stopped else desired
