"""Entries of the wallet's ledger: every change of its balance, and what it was for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.values.ids import DeploymentId, LeaseId


class EntryKind(StrEnum):
    """What a change of the balance was for.

    OPENING is the balance when the ledger began. FEE, DEPOSIT and REFUND are transaction fees, and deposits
    of bids paid and returned. LEASE and USAGE are income, after the chain's fees. PAYOUT went to the host
    file's payout address, EXTERNAL came from or went to another account. UNEXPLAINED changed the balance in
    blocks whose transfers are not known.
    """

    OPENING = "opening"
    FEE = "fee"
    DEPOSIT = "deposit"
    REFUND = "refund"
    LEASE = "lease"
    USAGE = "usage"
    PAYOUT = "payout"
    EXTERNAL = "external"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One change of the wallet's balance by `amount` uve (negative: paid) at a height.

    `at` is its time in unix seconds of the chain, interpolated if several blocks were read at once. `tx` is
    "" for what a block itself did; `lease` is None if it is unknown or several, then `deployment` may be
    known; `counterparty` is the other account.
    """

    height: int
    at: int
    kind: EntryKind
    amount: int
    tx: str = ""
    lease: LeaseId | None = None
    deployment: DeploymentId | None = None
    counterparty: str = ""

    @property
    def tenant(self) -> str:
        """The owner of the lease or deployment, "" if it is of none."""
        deployment = self.lease.deployment if self.lease else self.deployment
        return deployment.owner if deployment else ""


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """The entries that were booked after a row of the journal, in the order of their booking, and the last
    row. Once `deletions` has grown, entries of earlier rows were deleted, and all are to be read again.
    """

    entries: tuple[LedgerEntry, ...]
    last_row: int
    deletions: int


@dataclass(frozen=True, slots=True)
class BookedEntry:
    """An entry of the journal, with the balance after it and the revision that was in force."""

    entry: LedgerEntry
    balance: int
    revision: str
