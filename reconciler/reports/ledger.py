"""The ledger as entries and as sums by lease, tenant or day. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconciler.values.ledger import BookedEntry, EntryKind, LedgerEntry
from reconciler.values.times import Timestamp, utc_text

SUMS_MAX = 10_000


class LedgerKey(StrEnum):
    """What entries are summed by."""

    LEASE = "lease"
    TENANT = "tenant"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntryView:
    """One change of the balance; amounts in uve, `lease` and `tenant` "" if it is of none or not known.
    `revision` is the commit that was in force.
    """

    at: Timestamp
    height: int
    kind: EntryKind
    amount_uve: int
    balance_uve: int
    lease: str
    tenant: str
    counterparty: str
    transaction: str
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSums:
    """Sums in uve. `earned` is the income of leases and usage less fees; `deposits` is negative while
    deposits of bids are locked, `payouts` what went to the payout address.
    """

    key: str
    leases_uve: int
    usage_uve: int
    fees_uve: int
    earned_uve: int
    deposits_uve: int
    payouts_uve: int
    external_uve: int
    unexplained_uve: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerView:
    """The entries of a time, oldest first, with the balance before and after them in uve, and their sums."""

    opening_uve: int
    balance_uve: int
    entries: tuple[LedgerEntryView, ...]
    sums: tuple[LedgerSums, ...]
    total: LedgerSums


def ledger_view(booked: Sequence[BookedEntry], since: int, until: int, by: LedgerKey | None) -> LedgerView:
    """The entries from `since` on and before `until` (unix seconds, 0: no bound). The balance with which the
    ledger began is no change of it.
    """
    earlier = [each for each in booked if since and each.entry.at < since]
    shown = [each for each in booked[len(earlier) :] if not until or each.entry.at < until]
    before = earlier[-1].balance if earlier else 0
    if not earlier and shown and shown[0].entry.kind is EntryKind.OPENING:
        before, shown = shown[0].balance, shown[1:]
    entries = [each.entry for each in shown]
    return LedgerView(
        opening_uve=before,
        balance_uve=shown[-1].balance if shown else before,
        entries=tuple(map(_entry_view, shown)),
        sums=tuple(ledger_sums(entries, by)) if by is not None else (),
        total=total_of(entries),
    )


def _entry_view(booked: BookedEntry) -> LedgerEntryView:
    entry = booked.entry
    return LedgerEntryView(
        at=Timestamp(entry.at),
        height=entry.height,
        kind=entry.kind,
        amount_uve=entry.amount,
        balance_uve=booked.balance,
        lease=str(entry.lease or ""),
        tenant=entry.tenant,
        counterparty=entry.counterparty,
        transaction=entry.tx,
        revision=booked.revision,
    )


_KEYS: dict[LedgerKey, Callable[[LedgerEntry], str]] = {
    LedgerKey.LEASE: lambda entry: str(entry.lease or entry.deployment or ""),
    LedgerKey.TENANT: lambda entry: entry.tenant,
    LedgerKey.DAY: lambda entry: utc_text(entry.at)[:10],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSumsView:
    """`GET /api/v1/ledger`: the balances before and after all entries in uve, and the entries' sums by lease,
    tenant or day, at most 10,000; `total` counts all.
    """

    opening_uve: int
    balance_uve: int
    sums: tuple[LedgerSums, ...]
    total: LedgerSums


class RunningSums:
    """The sums of the whole ledger, kept current by adding what is booked."""

    def __init__(self) -> None:
        self._opening: int | None = None
        self._balance = 0
        self._total = Counter[EntryKind]()
        self._groups: dict[LedgerKey, dict[str, Counter[EntryKind]]] = {each: {} for each in LedgerKey}

    def add(self, entries: Iterable[LedgerEntry]) -> None:
        """Add entries in the order of their booking. The balance with which the ledger began is no change."""
        for each in entries:
            if each.kind is EntryKind.OPENING:
                self._balance = 0
            self._balance += each.amount
            if self._opening is None:
                self._opening = each.amount if each.kind is EntryKind.OPENING else 0
                if each.kind is EntryKind.OPENING:
                    continue
            self._total[each.kind] += each.amount
            for by, groups in self._groups.items():
                groups.setdefault(_KEYS[by](each), Counter())[each.kind] += each.amount

    def view(self, by: LedgerKey) -> LedgerSumsView:
        """The sums by a key; the last keys if there are too many."""
        groups = self._groups[by]
        last = sorted(groups)[-SUMS_MAX:]
        return LedgerSumsView(
            opening_uve=self._opening or 0,
            balance_uve=self._balance,
            sums=tuple(_sums_of(key, groups[key]) for key in last),
            total=_sums_of("total", self._total),
        )


def total_of(entries: Iterable[LedgerEntry]) -> LedgerSums:
    """The sums of all these entries."""
    return _sums("total", entries)


def ledger_sums(entries: Iterable[LedgerEntry], by: LedgerKey) -> list[LedgerSums]:
    """The sums by lease, tenant or day, in the order of the keys."""
    groups: dict[str, list[LedgerEntry]] = {}
    for entry in entries:
        groups.setdefault(_KEYS[by](entry), []).append(entry)
    return [_sums(key, groups[key]) for key in sorted(groups)]


def _sums(key: str, entries: Iterable[LedgerEntry]) -> LedgerSums:
    sums = Counter[EntryKind]()
    for entry in entries:
        sums[entry.kind] += entry.amount
    return _sums_of(key, sums)


def _sums_of(key: str, sums: Mapping[EntryKind, int]) -> LedgerSums:
    return LedgerSums(
        key=key,
        leases_uve=sums[EntryKind.LEASE],
        usage_uve=sums[EntryKind.USAGE],
        fees_uve=sums[EntryKind.FEE],
        earned_uve=sums[EntryKind.LEASE] + sums[EntryKind.USAGE] + sums[EntryKind.FEE],
        deposits_uve=sums[EntryKind.DEPOSIT] + sums[EntryKind.REFUND],
        payouts_uve=sums[EntryKind.PAYOUT],
        external_uve=sums[EntryKind.EXTERNAL],
        unexplained_uve=sums[EntryKind.UNEXPLAINED] + sums[EntryKind.OPENING],
    )
