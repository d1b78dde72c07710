"""The wallet's ledger against the chain's own blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from reconciler.devnet.accounts import PROVIDER, key_of
from reconciler.devnet.chain.call import ChainEventRecord
from reconciler.journal.opening import open_records
from reconciler.values.ledger import BookedEntry, EntryKind
from tests.simulation.outside import Outside

OURS = key_of(PROVIDER).address


def booked_entries(outside: Outside) -> tuple[BookedEntry, ...]:
    """The ledger of the daemon's journal."""
    records = open_records(outside.state)
    try:
        return records.ledger()
    finally:
        records.close()


def assert_booked(outside: Outside) -> tuple[BookedEntry, ...]:
    """Every movement of the wallet since the ledger began is booked once; returns the entries."""
    entries = booked_entries(outside)
    opening, moved = entries[0].entry, [each.entry for each in entries[1:]]
    assert opening.kind is EntryKind.OPENING
    expected = Counter(movements(outside, opening.height))
    assert Counter((e.height, e.amount, e.counterparty) for e in moved) == expected
    assert entries[-1].balance == sum(each.entry.amount for each in entries)
    return entries


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
