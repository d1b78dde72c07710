"""How much escrow accounts pay, and for how long; computes lazy accrual (semantics 4.6)."""

from __future__ import annotations

from decimal import Decimal

from reconciler.values.ids import LeaseId
from reconciler.values.money import accrued, floor_uve
from reconciler.values.observed import EscrowAccount, State


def end_height(account: EscrowAccount) -> int | None:
    """The last height that the funds pay, also if it has passed and is not settled yet; None if no payment is
    open.

    Truncation leaves each of k payments up to 1 uve, which bounds the search.
    """
    rates = [p.rate for p in account.payments if p.state is State.OPEN]
    drain = sum(rates, Decimal(0))
    if drain <= 0:
        return None
    funds = max(floor_uve(account.funds), 0)
    parts, whole = drain.as_integer_ratio()  # a Decimal quotient may have more digits than its context
    low, high = funds * whole // parts, (funds + len(rates)) * whole // parts + 1
    while high - low > 1:
        middle = (low + high) // 2
        if sum(accrued(rate, middle) for rate in rates) <= funds:
            low = middle
        else:
            high = middle
    return account.settled_at + low


def blocks_left(account: EscrowAccount, height: int) -> int | None:
    """Blocks that the funds still pay, counted from `height`; negative if they ran out and are not settled
    yet; None if no payment is open.
    """
    end = end_height(account)
    return None if end is None else end - height


def due_gross(account: EscrowAccount, lease: LeaseId, height: int) -> int:
    """The gross amount of a withdrawal settled at `height`, in whole uve.

    Payments are served in the order of their xid while funds last (semantics 4.2).
    """
    blocks = max(height - account.settled_at, 0)
    remaining = account.funds
    for payment in account.payments:
        if payment.state is not State.OPEN:
            continue
        share = min(Decimal(accrued(payment.rate, blocks)), max(remaining, Decimal(0)))
        if payment.lease == lease:
            return floor_uve(payment.balance + share)
        remaining -= share
    return 0
