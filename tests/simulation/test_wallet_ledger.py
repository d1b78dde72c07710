"""The ledger of a whole run against the chain's own events, over a restart."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from reconciler.cycle.run import Cycle
from reconciler.devnet.chain.addresses import ESCROW, FEE_COLLECTOR, SETTLEMENT
from reconciler.reports.ledger import LedgerKey, ledger_view
from reconciler.values.ledger import BookedEntry, EntryKind
from tests.simulation.daemon import PAYEE, Daemon
from tests.simulation.outside import Outside
from tests.simulation.runs import live
from tests.simulation.scenario import Scenario
from tests.simulation.wallet import assert_booked

DEPOSIT = 500_000
KINDS_OF_OTHERS = {
    FEE_COLLECTOR: {EntryKind.FEE},
    ESCROW: {EntryKind.DEPOSIT, EntryKind.REFUND, EntryKind.LEASE},
    SETTLEMENT: {EntryKind.USAGE},
    PAYEE: {EntryKind.PAYOUT},
}


def test_every_movement_of_the_wallet_is_booked_once_with_its_cause(tmp_path: Path) -> None:
    entries = ledger_of_a_run(tmp_path)
    moved = [each.entry for each in entries[1:]]
    for entry in moved:
        assert entry.kind in KINDS_OF_OTHERS.get(entry.counterparty, {EntryKind.EXTERNAL}), entry
        if entry.kind in (EntryKind.DEPOSIT, EntryKind.REFUND, EntryKind.LEASE, EntryKind.USAGE):
            assert entry.deployment is not None, entry
    kinds = Counter(entry.kind for entry in moved)
    assert kinds[EntryKind.LEASE] >= 2
    assert kinds[EntryKind.USAGE] >= 1
    assert [(e.amount, e.counterparty) for e in moved if e.kind is EntryKind.PAYOUT] == [(-1_000_000, PAYEE)]
    assert {-e.amount for e in moved if e.kind is EntryKind.DEPOSIT} == {DEPOSIT}
    assert {e.amount for e in moved if e.kind is EntryKind.REFUND} == {DEPOSIT}
    assert all(each.revision for each in entries if each.entry.kind is not EntryKind.OPENING)


def test_the_sums_of_leases_tenants_and_days_are_the_change_of_the_balance(tmp_path: Path) -> None:
    entries = ledger_of_a_run(tmp_path)
    for by in LedgerKey:
        view = ledger_view(entries, 0, 0, by)
        for name in (
            "leases_uve",
            "usage_uve",
            "fees_uve",
            "deposits_uve",
            "payouts_uve",
            "external_uve",
            "unexplained_uve",
        ):
            assert sum(getattr(row, name) for row in view.sums) == getattr(view.total, name), (by, name)
        changes = (
            *(view.total.earned_uve, view.total.deposits_uve),
            *(view.total.payouts_uve, view.total.external_uve, view.total.unexplained_uve),
        )
        assert sum(changes) == view.balance_uve - view.opening_uve
    middle = entries[len(entries) // 2].entry.at
    first, second = ledger_view(entries, 0, middle, None), ledger_view(entries, middle, 0, None)
    assert first.balance_uve == second.opening_uve
    assert len(first.entries) + len(second.entries) == len(entries) - 1


def ledger_of_a_run(directory: Path) -> tuple[BookedEntry, ...]:
    """The entries of the scenario with a restart, compared with the chain."""
    outside = Outside(directory / "world").begin()
    scenario = Scenario(outside)
    try:
        for visit in (has_two_leases, never):
            daemon = Daemon(outside)
            live(daemon, scenario, visit)
            daemon.drop()
        return assert_booked(outside)
    finally:
        outside.close()


def has_two_leases(_: Scenario, cycle: Cycle) -> bool:
    return len(cycle.snapshot.leases) > 1


def never(_: Scenario, __: Cycle) -> bool:
    return False
