"""The wallet's ledger: external transfers, earnings, and whether the account's history is complete."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.planning.planning_input import MarketBasis
from reconciler.values.funding import FundingByLease
from reconciler.values.memory import Memory, WalletLedger
from reconciler.values.observed import SETTLEMENT_MODULE, Market, State

MODULES = frozenset(
    {
        "ve17xpfvakm2amg962yls6f84z3kell8c5lvyc5y4",
        "ve14pphss726thpwws3yc458hggufynm9x70ervuw",
        "ve1jv65s3grqf6v6jl3dp4t6c9t9rk99cd8mzlgxh",
        SETTLEMENT_MODULE,
    }
)
"""Fee collector, escrow, distribution, settlement (semantics 1.1): transfers between these and us are not
external.
"""

REMEMBER_BLOCKS = 100
"""How many blocks the booked height may lag while there are no transfers: each update costs a write."""


@dataclass(frozen=True, slots=True)
class Earnings:
    """In uve: locked in bids, earned net of external transfers, accrued on leases after the take fee."""

    deposits: int
    earned: int
    accrued: int


def update_ledger(basis: MarketBasis) -> Memory:
    """Begin the ledger of a new journal, book external transfers, and hold spending while the account's
    history is incomplete.
    """
    memory, market = basis.memory, basis.market
    hold = market.height + basis.limits.timeout_blocks
    ledger = memory.ledger
    if ledger is None or memory.sequence is None:
        return replace(
            memory,
            ledger=ledger or WalletLedger(started_with=market.wallet.balance + locked_deposits(market)),
            height=market.height,
            height_time=market.time,
            sequence=market.wallet.sequence,
            hold_until_height=hold if market.wallet.sequence else 0,
        )
    outside = sum(
        (t.amount if t.recipient == market.wallet.address else -t.amount)
        for t in market.transfers or ()
        if t.height > memory.height and not MODULES & {t.sender, t.recipient}
    )
    moved = bool(market.transfers) or not 0 <= market.height - memory.height < REMEMBER_BLOCKS
    diverged = not basis.intents and memory.sequence != market.wallet.sequence
    # a later height was computed from one that was never reached
    held_until = hold if diverged else min(memory.hold_until_height, hold)
    changed = outside or moved or diverged or held_until != memory.hold_until_height
    return (
        memory
        if not changed
        else replace(
            memory,
            ledger=replace(ledger, outside=ledger.outside + outside),
            height=market.height if moved else memory.height,
            height_time=market.time if moved else memory.height_time,
            sequence=market.wallet.sequence if diverged else memory.sequence,
            hold_until_height=held_until,
        )
    )


def locked_deposits(market: Market) -> int:
    """Deposits of our open and active bids, in uve; refunded when the bids close."""
    return sum(b.deposit for b in market.bids.values() if b.state in (State.OPEN, State.ACTIVE))


def earnings(market: Market, ledger: WalletLedger, funding: FundingByLease) -> Earnings:
    """The wallet's change plus locked deposits, less external transfers; accrued earnings are separate."""
    deposits = locked_deposits(market)
    earned = market.wallet.balance + deposits - ledger.started_with - ledger.outside
    return Earnings(deposits, earned, funding.accrued_after_take(market.rules.take_percent))
