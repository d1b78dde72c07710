"""Ledger entries of a plan: the changes of the wallet's balance that it books. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.planning.money.ledger import FEE_COLLECTOR, MODULES, read_until
from reconciler.values.ids import LeaseId
from reconciler.values.intents import Confirmation
from reconciler.values.ledger import EntryKind, LedgerEntry
from reconciler.values.memory import Memory
from reconciler.values.messages import Message, lease_of
from reconciler.values.observed import SETTLEMENT_MODULE, Market, Transfer


def ledger_entries(
    before: Memory, market: Market, confirmations: Iterable[Confirmation] = (), payout_address: str = ""
) -> tuple[LedgerEntry, ...]:
    """The entries since the memory's height, oldest first; with all earlier ones their sum is the wallet's
    balance. The first entry of a ledger is the balance with which it begins.

    A lower height than before has none: those of later blocks are deleted, and these are read again.
    """
    ledger, balance = before.ledger, market.wallet.balance
    if ledger is None or ledger.balance is None:
        return (LedgerEntry(market.height, market.time, EntryKind.OPENING, balance),)
    if market.height < before.height:
        return ()
    account = _Account(
        address=market.wallet.address,
        payout_address=payout_address,
        leases=_leases(confirmations, market.wallet.address),
        times=_Times.between(before, market),
    )
    entries = list(_found_later(before, market, account))
    entries += [account.entry(t) for t in market.transfers or () if t.height > before.height]
    if missing := balance - ledger.balance - sum(each.amount for each in entries):
        entries.append(LedgerEntry(market.height, market.time, EntryKind.UNEXPLAINED, missing))
    return tuple(sorted((each for each in entries if each.amount), key=lambda each: each.height))


def _found_later(before: Memory, market: Market, account: _Account) -> Iterator[LedgerEntry]:
    """Transfers of earlier gaps, and what they take from the unexplained sum."""
    for gap in before.ledger.gaps if before.ledger else ():
        last = read_until(gap, market)
        if last is not None and (found := market.gap_transfers[gap.first, last]):
            entries = [account.entry(each) for each in found]
            yield from entries
            explained = sum(each.amount for each in entries)
            yield LedgerEntry(market.height, market.time, EntryKind.UNEXPLAINED, -explained)


@dataclass(frozen=True, slots=True)
class _Times:
    """Two heights with their times; those between are interpolated."""

    first: tuple[int, int]
    last: tuple[int, int]

    @classmethod
    def between(cls, before: Memory, market: Market) -> _Times:
        return cls((before.height, before.height_time), (market.height, market.time))

    def at(self, height: int) -> int:
        """Unix seconds of a height."""
        (low, began), (high, ended) = self.first, self.last
        if height >= high or high <= low:
            return ended
        return began + (ended - began) * max(height - low, 0) // (high - low)


@dataclass(frozen=True, slots=True)
class _Account:
    """Our account, the one that payouts go to, the leases that each of its transactions was about, and times
    of heights.
    """

    address: str
    payout_address: str
    leases: Mapping[str, frozenset[LeaseId]]
    times: _Times

    def entry(self, transfer: Transfer) -> LedgerEntry:
        """The entry of a transfer; one from us to us changes nothing."""
        sign = (transfer.recipient == self.address) - (transfer.sender == self.address)
        lease, deployment = transfer.cause.lease, transfer.cause.deployment
        kind = self._kind(transfer)
        about = self.leases.get(transfer.tx, frozenset())
        if kind is EntryKind.FEE and len(about) == 1:
            (lease,) = about
            deployment = lease.deployment
        other = transfer.sender if sign > 0 else transfer.recipient
        return LedgerEntry(
            height=transfer.height,
            at=self.times.at(transfer.height),
            kind=kind,
            amount=sign * transfer.amount,
            tx=transfer.tx,
            lease=lease,
            deployment=deployment,
            counterparty=other,
        )

    def _kind(self, transfer: Transfer) -> EntryKind:
        is_paid = transfer.sender == self.address
        other = transfer.recipient if is_paid else transfer.sender
        if other not in MODULES:
            return EntryKind.PAYOUT if is_paid and other == self.payout_address else EntryKind.EXTERNAL
        if other == FEE_COLLECTOR:
            return EntryKind.FEE
        if is_paid:
            return EntryKind.DEPOSIT
        if transfer.cause.is_refund:
            return EntryKind.REFUND
        return EntryKind.USAGE if other == SETTLEMENT_MODULE else EntryKind.LEASE


def _leases(confirmations: Iterable[Confirmation], address: str) -> dict[str, frozenset[LeaseId]]:
    """The leases of each transaction's messages."""
    intents = (each.intent for each in confirmations)
    return {each.hash: frozenset(_leases_of(each.messages, address)) for each in intents}


def _leases_of(messages: Iterable[Message], address: str) -> Iterator[LeaseId]:
    for message in messages:
        if lease := lease_of(message, address):
            yield lease
