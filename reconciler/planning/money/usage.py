"""Usage billing: measured time at our prices, less what the lease paid for the same blocks; recorded once,
settled by record ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from reconciler.planning.money.fees import Fees
from reconciler.planning.money.usage_metering import usage_billed_leases
from reconciler.planning.planning_input import MarketBasis, Proposals
from reconciler.planning.retries import retry_hold
from reconciler.values.desired import Usage
from reconciler.values.escrow import total_paid
from reconciler.values.memory import UsageMemory
from reconciler.values.messages import RecordUsage, SettleUsage
from reconciler.values.money import floor_uve
from reconciler.values.observed import Lease, OrderSettlement, SettlementEscrow, State, UsageRecord
from reconciler.values.plans import Hold, Reason
from reconciler.values.pricing import group_price
from reconciler.values.subjects import Subject

LANDING_BLOCKS = 2
"""Blocks to allow for settling, and again for recording before it: usage that is not settled before the
escrow expires is lost with its fees (semantics 5.5).
"""


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
    side = basis.market.settlements.get(lease.id.order, OrderSettlement(None))
    subject = Subject.of_workload(lease.id)
    if side.escrow is None:
        if lease.state is State.ACTIVE:
            why = "the order has no settlement escrow yet; usage before it exists is not billed"
            yield Hold(subject, Reason.NO_SETTLEMENT_ESCROW, why, ours=True)
        return
    if (why := _not_ours(side.escrow, lease)) and lease.state is State.ACTIVE:
        yield Hold(subject, Reason.ESCROW_NOT_OURS, why, ours=True)
    if why or side.escrow.state is not State.ACTIVE:
        return
    open_records = tuple(r for r in side.records if r.lease == str(lease.id) and not r.settled)
    yield from _settle(basis, lease, (side.escrow, rules), open_records)
    yield from _record(basis, lease, (side.escrow, rules), open_records)


def _not_ours(escrow: SettlementEscrow, lease: Lease) -> str:
    """Anyone may activate an escrow for anyone (semantics 5.1), so every party is checked."""
    expected = (
        ("depositor", escrow.depositor, lease.id.order.owner),
        ("recipient", escrow.recipient, lease.id.provider),
        ("lease", escrow.lease, str(lease.id)),
    )
    if escrow.state is State.PENDING:
        return f"settlement escrow {escrow.id} is not activated yet"
    wrong = [f"{name} is {found or 'empty'}, not {due}" for name, found, due in expected if found != due]
    return f"settlement escrow {escrow.id}: {'; '.join(wrong)}" if wrong else ""


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
    amount = sum(r.cost for r in records)
    gain = _net(basis, amount) - Fees.under(basis.market.rules, basis.limits).settle
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
    """Record the time since the last record. Records are few and coarse, as each makes the next more
    expensive (semantics 1.6); near the escrow's expiry, once half of the remaining time has passed.
    """
    escrow, rules = terms
    memory = basis.memory.usage.get(lease.id)
    left = escrow.expires_at - basis.market.time
    if memory is None or left <= basis.seconds(2 * LANDING_BLOCKS):
        return
    ending = lease.state is not State.ACTIVE
    near = left <= rules.expiry_margin_seconds
    since = basis.market.time - memory.billed_until
    due = ending or since >= rules.every_seconds or (near and since >= left)
    if since <= 0 or not due:
        return
    message = bill(basis, lease, memory, escrow.balance - sum(r.cost for r in records))
    gain = _net(basis, message.amount) - Fees.under(basis.market.rules, basis.limits).record_and_settle
    if message.amount <= 0 or gain < (1 if ending or near else rules.min_gain):
        if not ending:
            why = "usage since the last record is not worth the fees of recording and settling it"
            yield Hold(Subject.of_workload(lease.id), Reason.NOT_WORTH_ITS_FEE, why)
        return
    yield retry_hold(basis.memory, message, Subject.of_workload(lease.id), basis.now) or message


def bill(basis: MarketBasis, lease: Lease, memory: UsageMemory, room: int) -> RecordUsage:
    """The record of the time since the last one; at most `room` uve, as a capped settlement forfeits the
    rest.
    """
    market = basis.market
    pricing = basis.desired.pricing
    rate = group_price(lease.units, pricing) if pricing else Decimal(0)
    ran = floor_uve(rate * memory.ran_seconds / market.block_seconds)
    paid = total_paid(market.accounts.get(lease.id.deployment), lease.payment, market.height)
    amount = min(ran - (paid - memory.lease_paid), room)
    return RecordUsage(lease.id, amount, memory.billed_until, market.time, memory.ran_seconds, paid)


def _net(basis: MarketBasis, amount: int) -> int:
    """The net of a settlement of `amount` uve after its fees, 5 % and 1 % (semantics 5.5)."""
    return floor_uve(amount * (100 - basis.market.rules.settlement_fee_percent) / 100)
