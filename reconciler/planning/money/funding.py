"""Low escrow funds: one notice to the tenant per state, and a pause if configured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.planning.money.usage_funding import usage_left
from reconciler.planning.money.usage_metering import usage_billed_leases
from reconciler.planning.planning_input import MarketBasis
from reconciler.planning.retries import retry_hold
from reconciler.values.desired import Desired, Escrow, OnCritical
from reconciler.values.funding import (
    Funding,
    FundingByLease,
    FundingSchedule,
    FundingSource,
    LeaseFunds,
    TimeLeft,
)
from reconciler.values.ids import DeploymentId, LeaseId, workload_id
from reconciler.values.observed import Market, State
from reconciler.values.plans import Hold, NotifyTenant, Reason, effect_key
from reconciler.values.result_cache import KeyedInput, KeyedInputs, ResultCache
from reconciler.values.subjects import Subject
from reconciler.values.times import format_duration
from reconciler.values.work import NOTICES, WorkKey


def rules_of(desired: Desired) -> Escrow:
    """The thresholds in force."""
    return desired.config.escrow if desired.config else Escrow()


def funding_by_lease(basis: MarketBasis) -> FundingByLease:
    """The funding of every active lease."""
    market, rules = basis.market, rules_of(basis.desired)
    return FundingByLease(
        funding_schedule(market, basis.decisions),
        market.height,
        market.block_seconds,
        rules.low_seconds,
        rules.critical_seconds,
        {
            lease.id: usage_left(basis, lease)
            for lease in usage_billed_leases(basis)
            if lease.state is State.ACTIVE
        },
    )


def funding_schedule(market: Market, decisions: ResultCache) -> FundingSchedule:
    """When the funds of each active lease end; evaluated again for the leases of changed accounts."""
    leases = market.leases
    by_deployment = decisions.reuse("leases by deployment", (leases,), lambda: _by_deployment(leases))

    def funds_of(lease: LeaseId) -> LeaseFunds | None:
        if leases[lease].state is not State.ACTIVE:
            return None
        return LeaseFunds.of(lease, market.accounts.get(lease.deployment))

    accounts = KeyedInput(market.accounts, lambda deployment, _: by_deployment.get(deployment, ()))
    funds = decisions.reuse_each("lease funds", KeyedInputs(leases, (KeyedInput(leases), accounts)), funds_of)
    return decisions.reuse("funding schedule", (funds,), lambda: FundingSchedule.of(funds))


def _by_deployment(leases: Iterable[LeaseId]) -> Mapping[DeploymentId, Sequence[LeaseId]]:
    found: dict[DeploymentId, list[LeaseId]] = defaultdict(list)
    for lease in leases:
        found[lease.deployment].append(lease)
    return found


def plan_funding(basis: MarketBasis) -> Iterator[NotifyTenant | Hold]:
    """A hold per account with low funds, and one notice per state if the host file names a receiver."""
    rules = rules_of(basis.desired)
    for lease in basis.funding.underfunded():
        left = basis.funding[lease]
        if why := basis.doubts.get(Subject.of_deployment(lease.deployment)):
            yield unconfirmed_hold(lease, "its deployment's funds end", why)
        if left.state in _REASONS:
            yield Hold(Subject.of_workload(lease), _REASONS[left.state], _sentence(left, rules), ours=True)
        notice = NotifyTenant(lease, left)
        if (
            basis.sends_notices
            and effect_key(notice) not in basis.memory.notified
            and not _is_in_flight(basis, notice)
        ):
            subject = Subject.of_workload(lease)
            yield retry_hold(basis.memory, notice, subject, basis.now) or notice


def unconfirmed_hold(lease: LeaseId, what: str, doubt: str) -> Hold:
    """The hold on an ending that one node alone shows."""
    why = f"{what}, but on one node only: {doubt}; it is served, and its lease kept, until both show it"
    return Hold(Subject.of_workload(lease), Reason.UNCONFIRMED_BY_WITNESS, why, ours=True)


def _is_in_flight(basis: MarketBasis, notice: NotifyTenant) -> bool:
    """Whether the lease's notice of this state is being sent."""
    in_flight = basis.in_flight.get(WorkKey(NOTICES, workload_id(notice.lease)))
    return in_flight is not None and effect_key(in_flight) == effect_key(notice)


_REASONS = {Funding.LOW: Reason.ESCROW_LOW, Funding.CRITICAL: Reason.ESCROW_CRITICAL}


def _sentence(left: TimeLeft, rules: Escrow) -> str:
    """The remaining time is left out, as it changes with every block."""
    if left.source is FundingSource.SETTLEMENT:
        least = rules.low_seconds if left.state is Funding.LOW else rules.critical_seconds
        return (
            f"its settlement escrow pays for usage for less than {format_duration(least)}; then it is "
            "stopped and its lease closed, as the chain accepts no second escrow for an order"
        )
    if left.state is Funding.LOW:
        low = format_duration(rules.low_seconds)
        return f"its deployment's funds last less than {low}; the tenant may deposit more"
    stops = "; it is paused until more is deposited" if rules.on_critical is OnCritical.PAUSE else ""
    return f"its deployment's funds last less than {format_duration(rules.critical_seconds)}{stops}"


def paused_by_funding(basis: MarketBasis) -> Desired:
    """The desired state without the workloads whose usage nothing pays for, and, if `escrow.on_critical` is
    `pause`, without those whose account is critical; those that the witness does not confirm go on. No tenant
    can deposit into a settlement escrow, so that one that is critical pauses nothing.
    """
    desired, funding, doubts = basis.desired, basis.funding, basis.doubts
    ending = {x for x in funding.unpaid() if not doubts.get(Subject.of_order(x.order))}
    if rules_of(desired).on_critical is OnCritical.PAUSE:
        ending |= {
            x
            for x in funding.underfunded()
            if funding.account_left(x).is_critical and not doubts.get(Subject.of_deployment(x.deployment))
        }
    files = (desired.workloads.get(workload_id(lease)) for lease in sorted(ending))
    stopped = {file.id: replace(file, paused=True) for file in files if file is not None}
    return replace(desired, workloads={**desired.workloads, **stopped}) if stopped else desired
