"""The ledger of a whole run against the chain's own events, over a restart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from reconciler.cycle.run import Cycle
from reconciler.devnet.chain.addresses import DISTRIBUTION, ESCROW, FEE_COLLECTOR, SETTLEMENT
from reconciler.devnet.chain.call import ChainEventRecord
from reconciler.journal.opening import open_records
from reconciler.reports.ledger import LedgerKey, ledger_view
from reconciler.values.ledger import BookedEntry, EntryKind
from tests.simulation.daemon import Daemon
from tests.simulation.outside import Outside
from tests.simulation.runs import live
from tests.simulation.scenario import OURS, Scenario

DEPOSIT = 500_000
KINDS_OF_OTHERS = {
    FEE_COLLECTOR: {EntryKind.FEE},
    ESCROW: {EntryKind.DEPOSIT, EntryKind.REFUND, EntryKind.LEASE},
    DISTRIBUTION: {EntryKind.LEASE},
    SETTLEMENT: {EntryKind.USAGE},
}


def test_every_movement_of_the_wallet_is_booked_once_with_its_cause(tmp_path: Path) -> None:
    booked = ledger_of_a_run(tmp_path)
    outside, entries = booked[0], booked[1]
    opening, moved = entries[0].entry, [each.entry for each in entries[1:]]
    assert opening.kind is EntryKind.OPENING
    expected = Counter(movements(outside, opening.height))
    assert Counter((e.height, e.amount, e.counterparty) for e in moved) == expected
    for entry in moved:
        assert entry.kind in KINDS_OF_OTHERS.get(entry.counterparty, {EntryKind.EXTERNAL}), entry
        if entry.kind is not EntryKind.FEE and entry.kind is not EntryKind.EXTERNAL:
            assert entry.deployment is not None, entry
    kinds = Counter(entry.kind for entry in moved)
    assert kinds[EntryKind.LEASE] >= 2
    assert kinds[EntryKind.USAGE] >= 1
    assert {-e.amount for e in moved if e.kind is EntryKind.DEPOSIT} == {DEPOSIT}
    assert {e.amount for e in moved if e.kind is EntryKind.REFUND} == {DEPOSIT}
    assert all(each.revision for each in entries if each.entry.kind is not EntryKind.OPENING)


def test_the_sums_of_leases_tenants_and_days_are_the_change_of_the_balance(tmp_path: Path) -> None:
    _, entries = ledger_of_a_run(tmp_path)
    for by in LedgerKey:
        view = ledger_view(entries, 0, 0, by)
        for name in (
            "leases_uve",
            "usage_uve",
            "fees_uve",
            "deposits_uve",
            "external_uve",
            "unexplained_uve",
        ):
            assert sum(getattr(row, name) for row in view.sums) == getattr(view.total, name), (by, name)
        changes = (
            *(view.total.earned_uve, view.total.deposits_uve),
            *(view.total.external_uve, view.total.unexplained_uve),
        )
        assert sum(changes) == view.balance_uve - view.opening_uve
    middle = entries[len(entries) // 2].entry.at
    first, second = ledger_view(entries, 0, middle, None), ledger_view(entries, middle, 0, None)
    assert first.balance_uve == second.opening_uve
    assert len(first.entries) + len(second.entries) == len(entries) - 1


def ledger_of_a_run(directory: Path) -> tuple[Outside, tuple[BookedEntry, ...]]:
    """The scenario with a restart: its world, and the entries, whose sum is the last balance."""
    outside = Outside(directory / "world").begin()
    scenario = Scenario(outside)
    half = lambda _, cycle: len(cycle.snapshot.leases) > 1  # noqa: E731 - a visitor of the run
    try:
        for visit in (half, never):
            daemon = Daemon(outside)
            live(daemon, scenario, visit)
            daemon.drop()
        records = open_records(outside.state)
        entries = records.ledger()
        records.close()
    finally:
        outside.close()
    assert entries[-1].balance == sum(each.entry.amount for each in entries)
    return outside, entries


def never(_: Scenario, __: Cycle) -> bool:
    return False


def movements(outside: Outside, after: int) -> Iterator[tuple[int, int, str]]:
    """Height, amount and other side of each transfer of our account, from the chain's blocks."""
    for block in outside.chain.ledger:
        if block.height > after:
            for events in (*(tx.outcome.events for tx in block.txs), block.events):
                yield from ((block.height, *each) for each in of_events(events))


def of_events(events: tuple[ChainEventRecord, ...]) -> Iterator[tuple[int, str]]:
    for event in events:
        said = dict(event.attributes)
        if event.kind == "transfer" and OURS in (said["sender"], said["recipient"]) and said["amount"]:
            sign = 1 if said["recipient"] == OURS else -1
            yield sign * int(said["amount"].removesuffix("uve")), said["sender" if sign > 0 else "recipient"]
