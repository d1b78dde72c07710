"""Settlement escrows: whether one pays for the usage of a lease (semantics 5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import localcontext

from reconciler.values.money import EXACT, floor_uve
from reconciler.values.observed import (
    ChainParams,
    Lease,
    Market,
    OrderSettlement,
    SettlementEscrow,
    State,
    UsageRecord,
)
from reconciler.values.plans import Reason

LANDING_BLOCKS = 2
"""Blocks to allow for settling, and again for recording before it: usage that is not settled before the
escrow expires is lost with its fees (semantics 5.5).
"""

ENDED = frozenset({State.REFUNDED, State.RELEASED, State.EXPIRED, State.DISPUTED})
"""States in which an escrow pays for no further usage; a dispute ends in one of the others."""

NO_ESCROW = OrderSettlement(None)


@dataclass(frozen=True, slots=True)
class Unpaid:
    """Why no escrow pays for the usage of a lease; `is_final`: one did, and has ended, and the chain accepts
    no second escrow for an order.
    """

    reason: Reason
    why: str
    is_final: bool = False


def unpaid(market: Market, lease: Lease) -> Unpaid | None:
    """Why usage of the lease cannot be recorded; None if it can.

    Anyone may create an escrow for an order, and activate it for anyone (semantics 5.1), so every party is
    checked.
    """
    escrow = market.settlements.get(lease.id.order, NO_ESCROW).escrow
    if escrow is None:
        return Unpaid(Reason.NO_SETTLEMENT_ESCROW, "the order has no settlement escrow")
    if why := _difference(escrow, lease):
        return Unpaid(Reason.ESCROW_NOT_OURS, why)
    if escrow.state in ENDED:
        why = f"settlement escrow {escrow.id} is {escrow.state}"
        return Unpaid(Reason.ESCROW_EXHAUSTED, why, is_final=True)
    if escrow.other_denoms and not escrow.balance:
        denoms = ", ".join(escrow.other_denoms)
        why = f"settlement escrow {escrow.id} holds no uve, only {denoms}"
        return Unpaid(Reason.FOREIGN_DENOMINATION, why)
    return None


def paying_escrow(market: Market, lease: Lease) -> SettlementEscrow | None:
    """The active escrow that pays for usage of the lease, if there is one."""
    return None if unpaid(market, lease) else market.settlements[lease.id.order].escrow


def records_of(market: Market, lease: Lease) -> tuple[UsageRecord, ...]:
    """The usage records of the lease, settled ones included."""
    side = market.settlements.get(lease.id.order, NO_ESCROW)
    return tuple(record for record in side.records if record.lease == str(lease.id))


def unsettled_uve(records: tuple[UsageRecord, ...]) -> int:
    """The whole uve that records claim of their escrow's balance."""
    return sum(record.cost for record in records if not record.settled)


def net_of_settlement(amount: int, rules: ChainParams) -> int:
    """What a settlement of `amount` uve pays us after the chain's fees, 5 % and 1 % (semantics 5.5)."""
    with localcontext(EXACT):
        return floor_uve(amount * (100 - rules.settlement_fee_percent) / 100)


def _difference(escrow: SettlementEscrow, lease: Lease) -> str:
    expected = (
        ("depositor", escrow.depositor, lease.id.order.owner),
        ("recipient", escrow.recipient, lease.id.provider),
        ("lease", escrow.lease, str(lease.id)),
    )
    if escrow.state is State.PENDING:
        return f"settlement escrow {escrow.id} is not activated yet"
    wrong = [f"{name} is {found or 'empty'}, not {due}" for name, found, due in expected if found != due]
    return f"settlement escrow {escrow.id}: {'; '.join(wrong)}" if wrong else ""
