"""Usage billing: what was metered is recorded once, and settled by record ids."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.planning.money.fees import Fees
from reconciler.planning.money.funding import unconfirmed_hold
from reconciler.planning.money.settlement_escrow import (
    LANDING_BLOCKS,
    net_of_settlement,
    paying_escrow,
    records_of,
    unpaid,
    unsettled_uve,
)
from reconciler.planning.money.usage_metering import is_measured, measured_use, usage_billed_leases
from reconciler.planning.planning_input import MarketBasis, Proposals
from reconciler.planning.retries import retry_hold
from reconciler.values.desired import Usage
from reconciler.values.memory import UsageMemory
from reconciler.values.messages import RecordUsage, SettleUsage
from reconciler.values.money import floor_uve
from reconciler.values.observed import Lease, SettlementEscrow, State, UsageRecord
from reconciler.values.plans import Hold, Reason
from reconciler.values.readings import Seen
from reconciler.values.subjects import Subject
from reconciler.values.times import format_duration


def plan_usage(basis: MarketBasis) -> Proposals:
    """For each usage-billed lease, record usage that is due and worth its fees, and settle records."""
    rules = basis.desired.config.usage if basis.desired.config else Usage()
    decisions = [d for lease in _usage_billed_leases(basis) for d in _evaluate(basis, lease, rules)]
    return Proposals(
        tuple(d for d in decisions if not isinstance(d, Hold)),
        tuple(d for d in decisions if isinstance(d, Hold)),
    )


def _usage_billed_leases(basis: MarketBasis) -> list[Lease]:
    return sorted(usage_billed_leases(basis), key=lambda lease: lease.id)


def _evaluate(basis: MarketBasis, lease: Lease, rules: Usage) -> Iterator[RecordUsage | SettleUsage | Hold]:
    if lease.state is State.ACTIVE and (hold := _unpaid_hold(basis, lease, rules)) is not None:
        yield hold
    if lease.state is State.ACTIVE and (unmeasured := _unmeasured_hold(basis, lease)) is not None:
        yield unmeasured
    escrow = paying_escrow(basis.market, lease)
    if escrow is None:
        return
    open_records = tuple(r for r in records_of(basis.market, lease) if not r.settled)
    yield from _settle(basis, lease, (escrow, rules), open_records)
    yield from _record(basis, lease, (escrow, rules), open_records)


def _unpaid_hold(basis: MarketBasis, lease: Lease, rules: Usage) -> Hold | None:
    """Why the workload is not served, or for how long without payment."""
    subject = Subject.of_workload(lease.id)
    refusal = unpaid(basis.market, lease)
    ending = "it is stopped and its lease closed"
    for_good = f"{ending}, as the chain accepts no second escrow for an order"
    if basis.funding[lease.id].is_unpaid:
        if why := basis.doubts.get(Subject.of_order(lease.id.order)):
            shown = "its settlement escrow is used up, or expires" if refusal is None else refusal.why
            return unconfirmed_hold(lease.id, shown, why)
        if refusal is None:
            why = f"its settlement escrow is used up, or expires; {for_good}"
            return Hold(subject, Reason.ESCROW_EXHAUSTED, why, ours=True)
        why = f"{refusal.why}; {for_good if refusal.is_final else ending}"
        return Hold(subject, refusal.reason, why, ours=True)
    if refusal is None:
        return None
    grace = format_duration(rules.unfunded_grace_seconds)
    why = f"{refusal.why}; usage until one pays is not billed; after {grace} (usage.unfunded_grace) {ending}"
    return Hold(subject, refusal.reason, why, ours=True)


def _unmeasured_hold(basis: MarketBasis, lease: Lease) -> Hold | None:
    """What runs and is not billed, as usage.meter says metrics and there are none."""
    usage = basis.memory.usage.get(lease.id)
    if not is_measured(basis) or usage is None or not any(each.ready for each in usage.services):
        return None
    reading = measured_use(basis, lease.id)
    if isinstance(reading, Seen):
        return None
    why = f"{reading.why}; what it uses is not billed meanwhile (usage.meter: metrics)"
    return Hold(Subject.of_workload(lease.id), Reason.USAGE_UNMEASURED, why, ours=True)


def _settle(
    basis: MarketBasis,
    lease: Lease,
    terms: tuple[SettlementEscrow, Usage],
    records: tuple[UsageRecord, ...],
) -> Iterator[SettleUsage | Hold]:
    """Settle records that gain `min_gain` over the fee; near the escrow's expiry, any that gain something."""
    escrow, rules = terms
    left = escrow.expires_at - basis.market.time
    if not records or left <= basis.seconds(LANDING_BLOCKS):
        return
    amount = unsettled_uve(records)
    fees = Fees.under(basis.market.rules, basis.limits, basis.memory)
    gain = net_of_settlement(amount, basis.market.rules) - fees.settle
    near = left <= rules.expiry_margin_seconds
    if gain < (1 if near else rules.min_gain):
        why = "the usage on record is not yet worth its settlement's fee"
        yield Hold(Subject.of_workload(lease.id), Reason.NOT_WORTH_ITS_FEE, why)
        return
    message = SettleUsage(lease.id.order, tuple(sorted({r.id for r in records})), amount)
    yield retry_hold(basis.memory, message, Subject.of_workload(lease.id), basis.now) or message


def _record(
    basis: MarketBasis,
    lease: Lease,
    terms: tuple[SettlementEscrow, Usage],
    records: tuple[UsageRecord, ...],
) -> Iterator[RecordUsage | Hold]:
    """Record what ran since the last record. Records are few and coarse, as each makes the next more
    expensive (semantics 1.6); near the escrow's expiry, once half of the remaining time has passed.
    """
    escrow, rules = terms
    usage = basis.memory.usage.get(lease.id)
    left = escrow.expires_at - basis.market.time
    if usage is None or not usage.metered or left <= basis.seconds(2 * LANDING_BLOCKS):
        return
    ending = lease.state is not State.ACTIVE or _has_stopped(basis, lease, usage)
    near = left <= rules.expiry_margin_seconds
    since = basis.market.time - usage.billed_until
    due = ending or since >= rules.every_seconds or (near and since >= left)
    if usage.seen_at <= usage.billed_until or not due:
        return
    if basis.doubts.get(Subject.of_order(lease.id.order)):
        return  # what exceeds a false balance would never be billed
    message = bill(lease, usage, escrow.balance - unsettled_uve(records))
    fees = Fees.under(basis.market.rules, basis.limits, basis.memory)
    gain = net_of_settlement(message.amount, basis.market.rules) - fees.record_and_settle
    if message.amount <= 0 or gain < (1 if ending or near else rules.min_gain):
        if not ending:
            why = "usage since the last record is not worth the fees of recording and settling it"
            yield Hold(Subject.of_workload(lease.id), Reason.NOT_WORTH_ITS_FEE, why)
        return
    yield retry_hold(basis.memory, message, Subject.of_workload(lease.id), basis.now) or message


def _has_stopped(basis: MarketBasis, lease: Lease, usage: UsageMemory) -> bool:
    """Whether nothing runs any more, as nothing would pay for it."""
    return basis.funding[lease.id].is_unpaid and not any(service.ready for service in usage.services)


def bill(lease: Lease, usage: UsageMemory, room: int) -> RecordUsage:
    """The record of what ran until the last observation; at most `room` uve, as a capped settlement forfeits
    the rest (semantics 5.5).
    """
    amount = min(floor_uve(usage.metered), room)
    period = usage.billed_until, usage.seen_at
    return RecordUsage(lease.id, amount, *period, usage.metered, usage.blocks, usage.measured)
