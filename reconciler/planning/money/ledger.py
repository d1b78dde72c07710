"""The wallet's ledger: external transfers, gaps, earnings, and whether the account's history is complete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reconciler.planning.money.day_totals import low_balance, with_totals
from reconciler.planning.money.payouts import with_seen_payouts
from reconciler.planning.planning_input import MarketBasis
from reconciler.values.memory import ForeignTransaction, LedgerChange, LedgerGap, Memory, WalletLedger
from reconciler.values.observed import SETTLEMENT_MODULE, Bid, Market, State, Transfer
from reconciler.values.plans import Hold, Reason
from reconciler.values.result_cache import ResultCache
from reconciler.values.subjects import PROVIDER

FEE_COLLECTOR = "ve17xpfvakm2amg962yls6f84z3kell8c5lvyc5y4"

MODULES = frozenset({FEE_COLLECTOR, "ve14pphss726thpwws3yc458hggufynm9x70ervuw", SETTLEMENT_MODULE})
"""Fee collector, escrow, settlement (semantics 1.1): transfers between these and us are not external. Those
of the distribution module are: the chain's take goes from escrow to it, and it pays us only staking rewards.
"""

FOREIGN_SECONDS = 86_400
"""How long a foreign transaction is shown."""

FOREIGN_MAX = 20
GAPS_MAX = 10
CHANGES_MAX = 100
"""Entries that are remembered."""

REMEMBER_BLOCKS = 100
"""How many blocks the booked height may lag while there are no transfers: each update costs a write."""


@dataclass(frozen=True, slots=True)
class Earnings:
    """In uve: locked in bids, and earned net of external transfers."""

    deposits: int
    earned: int


def update_ledger(basis: MarketBasis) -> Memory:
    """Begin the ledger of a new journal, book external transfers and gaps, remember foreign transactions, and
    hold spending while the account's history is incomplete.
    """
    market = basis.market
    memory = with_seen_payouts(_with_foreign(basis), market, basis.limits.payout)
    hold = market.height + basis.limits.timeout_blocks
    ledger = memory.ledger
    if ledger is None or memory.sequence is None:
        begun = market.wallet.balance + locked_deposits(market, basis.decisions)
        return replace(
            memory,
            ledger=_at(
                market, ledger or WalletLedger(started_with=begun, began_at=market.time), basis.decisions
            ),
            height=market.height,
            height_time=market.time,
            sequence=market.wallet.sequence,
            hold_until_height=hold if market.wallet.sequence else 0,
            history_began_at=market.time if market.wallet.sequence else 0,
        )
    booked = _with_earned(_booked(basis, ledger), ledger, market.time)
    moved = booked is not ledger or not 0 <= market.height - memory.height < REMEMBER_BLOCKS
    diverged = not basis.intents and memory.sequence != market.wallet.sequence
    # a later height was computed from one that was never reached
    held_until = hold if diverged else min(memory.hold_until_height, hold)
    if not moved and not diverged and held_until == memory.hold_until_height:
        return memory
    return replace(
        memory,
        ledger=booked,
        height=market.height if moved else memory.height,
        height_time=market.time if moved else memory.height_time,
        sequence=market.wallet.sequence if diverged else memory.sequence,
        hold_until_height=held_until,
        history_began_at=market.time if diverged else memory.history_began_at,
    )


def _booked(basis: MarketBasis, ledger: WalletLedger) -> WalletLedger:
    """The ledger after the transfers since the height of the memory; the same object if nothing moved.

    A lower height than before, of a node that disproves it, has no transfers: its blocks are read again, and
    what they changed is taken back.
    """
    market, height, results = basis.market, basis.memory.height, basis.decisions
    ledger = _with_closed_gaps(ledger, market)
    if market.height < height:
        return _at(market, _until(ledger, market.height), results)
    address = market.wallet.address
    transfers = [t for t in market.transfers or () if t.height > height]
    if not transfers and ledger.balance == market.wallet.balance:
        return ledger
    booked = _at(market, _changed(ledger, _external(transfers, address)), results)
    if ledger.balance is None:
        return booked
    change = market.wallet.balance - ledger.balance
    missing = change - _sum(transfers, address)
    if market.transfers is None:  # deposits of bids may have been locked and refunded meanwhile
        missing = change + booked.deposits - ledger.deposits
        gap = LedgerGap(height + 1, market.height, change, missing)
        booked = replace(booked, gaps=(*ledger.gaps, gap)[-GAPS_MAX:])
    return _changed(booked, [LedgerChange(market.height, unexplained=missing)])


def _changed(ledger: WalletLedger, changes: Iterable[LedgerChange]) -> WalletLedger:
    """The ledger after these changes."""
    found = [each for each in changes if each.outside or each.unexplained]
    return replace(
        ledger,
        outside=ledger.outside + sum(each.outside for each in found),
        unexplained=ledger.unexplained + sum(each.unexplained for each in found),
        changes=(*ledger.changes, *found)[-CHANGES_MAX:],
    )


def _until(ledger: WalletLedger, height: int) -> WalletLedger:
    """The ledger without the changes of later blocks, as far as they are remembered."""
    later = [each for each in ledger.changes if each.height > height]
    return replace(
        ledger,
        outside=ledger.outside - sum(each.outside for each in later),
        unexplained=ledger.unexplained - sum(each.unexplained for each in later),
        changes=tuple(each for each in ledger.changes if each.height <= height),
        gaps=tuple(each for each in ledger.gaps if each.last <= height),
    )


def _external(transfers: Iterable[Transfer], address: str) -> Iterator[LedgerChange]:
    """The changes by external transfers."""
    for each in transfers:
        if not MODULES & {each.sender, each.recipient}:
            yield LedgerChange(each.height, outside=_sum((each,), address))


def _with_earned(ledger: WalletLedger, before: WalletLedger, at: int) -> WalletLedger:
    """The ledger with what was earned since it was `before`; the same object if nothing was."""
    if ledger is before or ledger.balance is None or before.balance is None:
        return ledger
    change = _earned(ledger, ledger.balance) - _earned(before, before.balance)
    return with_totals(ledger, at, earned=change) if change else ledger


def _earned(ledger: WalletLedger, balance: int) -> int:
    return balance + ledger.deposits - ledger.started_with - ledger.outside - ledger.unexplained


def read_until(gap: LedgerGap, market: Market) -> int | None:
    """The last block of a gap whose transfers, and those of all before it, are known now; None for none."""
    return next(
        (last for first, last in market.gap_transfers if first == gap.first and last <= gap.last), None
    )


def _with_closed_gaps(ledger: WalletLedger, market: Market) -> WalletLedger:
    """The ledger after gaps whose transactions the node has found; what they do not explain stays so."""
    for gap in ledger.gaps:
        if (last := read_until(gap, market)) is None:
            continue
        found = market.gap_transfers[gap.first, last]
        explained = _sum(found, market.wallet.address)
        left = gap.change - explained
        change = -explained if last < gap.last else left - gap.unexplained
        rest = LedgerGap(last + 1, gap.last, left, gap.unexplained - explained)
        gaps = [each for each in ledger.gaps if each != gap]
        gaps += [rest] if last < gap.last else []
        changes = (*_external(found, market.wallet.address), LedgerChange(last, unexplained=change))
        ledger = replace(_changed(ledger, changes), gaps=tuple(gaps))
    return ledger


def _at(market: Market, ledger: WalletLedger, results: ResultCache) -> WalletLedger:
    return replace(ledger, balance=market.wallet.balance, deposits=locked_deposits(market, results))


def _sum(transfers: Iterable[Transfer], address: str) -> int:
    return sum(t.amount * ((t.recipient == address) - (t.sender == address)) for t in transfers)


def _with_foreign(basis: MarketBasis) -> Memory:
    """The memory with transactions of our account that are not ours; the next sequence follows theirs. Ours
    are confirmed by their hashes.
    """
    memory, market = basis.memory, basis.market
    recent = tuple(each for each in memory.foreign if each.at > market.time - FOREIGN_SECONDS)
    expected, own = memory.sequence, {intent.hash for intent in basis.intents}
    found: list[ForeignTransaction] = []
    for each in sorted(market.signed, key=lambda s: s.sequence):
        if each.sequence == expected and each.hash not in own:
            found.append(ForeignTransaction(each.hash, each.height, each.sequence, market.time))
            expected = each.sequence + 1
    if not found and len(recent) == len(memory.foreign):
        return memory
    return replace(
        memory,
        sequence=expected,
        foreign=(*recent, *found)[-FOREIGN_MAX:],
        foreign_total=memory.foreign_total + len(found),
    )


def account_holds(basis: MarketBasis) -> Iterator[Hold]:
    """What the account's owner has to know: who else signs with its key, money without an explanation, and a
    balance that ends soon.
    """
    if foreign := basis.memory.foreign:
        last = foreign[-1]
        why = (
            f"transaction {last.hash} in block {last.height} used sequence {last.sequence} of this "
            f"account, and this daemon did not send it ({len(foreign)} within a day); spending "
            "continues; use a key of its own for the other program, or stop it"
        )
        yield Hold(PROVIDER, Reason.FOREIGN_TRANSACTION, why, ours=True)
    ledger = basis.memory.ledger or WalletLedger()
    if ledger.gaps:
        gap = ledger.gaps[-1]
        why = (
            f"the transfers of blocks {gap.first} to {gap.last} are not known; {ledger.unexplained}uve "
            "are shown as unexplained, not as earned, until a node with a transaction index has them"
        )
        yield Hold(PROVIDER, Reason.LEDGER_GAP, why, ours=True)
    yield from low_balance(basis)


def locked_deposits(market: Market, results: ResultCache) -> int:
    """Deposits of our open and active bids, in uve; refunded when the bids close."""
    return results.sum_each("locked deposits", market.bids, _locked_deposit)


def _locked_deposit(bid: Bid) -> int:
    return bid.deposit if bid.state in (State.OPEN, State.ACTIVE) else 0


def earnings(market: Market, ledger: WalletLedger, results: ResultCache) -> Earnings:
    """The wallet's change plus locked deposits, less external transfers and what is unexplained."""
    ledger = _at(market, ledger, results)
    return Earnings(ledger.deposits, _earned(ledger, market.wallet.balance))
