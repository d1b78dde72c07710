"""The monthly report of the ledger, in Markdown. Pure: equal sums give equal bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.reports.ledger import LedgerKey, LedgerSums, ledger_sums, total_of
from reconciler.values.ledger import EntryKind, LedgerEntry
from reconciler.values.markdown import code, table

ROWS_MAX = 1_000
"""Tenants, and leases, that a report lists: those with the largest income."""

_COLUMNS = ("leases", "usage", "fees", "earned", "deposits", "payouts", "external", "unexplained")


def monthly_report(month: str, entries: Sequence[LedgerEntry], balance: int, *, is_over: bool) -> str:
    """The report of a month (`2026-11`) from its entries, or their sums by kind, lease and deployment, and
    the balance before them in uve.
    """
    opening = balance + sum(e.amount for e in entries if e.kind is EntryKind.OPENING)
    closing = balance + sum(e.amount for e in entries)
    moved = [e for e in entries if e.kind is not EntryKind.OPENING]
    parts = [f"# Ledger of {month}{'' if is_over else ' so far'}", *_parts(moved, opening, closing)]
    return "\n\n".join(parts) + "\n"


def _parts(entries: Sequence[LedgerEntry], opening: int, balance: int) -> Iterator[str]:
    total = total_of(entries)
    yield "All amounts in uve. The balance before and the sums that follow it are the balance after."
    yield table(
        ("", "uve"),
        [
            ("balance before", str(opening)),
            ("leases paid", str(total.leases_uve)),
            ("usage settled", str(total.usage_uve)),
            ("fees", str(total.fees_uve)),
            ("deposits of bids", str(total.deposits_uve)),
            ("payouts", str(total.payouts_uve)),
            ("external", str(total.external_uve)),
            ("unexplained", str(total.unexplained_uve)),
            ("balance after", str(balance)),
        ],
    )
    yield f"Earned, which is leases and usage less fees: {total.earned_uve}uve."
    for key in (LedgerKey.TENANT, LedgerKey.LEASE):
        rows = ledger_sums(entries, key)
        yield f"## By {key.value}"
        yield _table(key, rows) or "None."


def _table(key: LedgerKey, rows: Sequence[LedgerSums]) -> str:
    first = sorted(rows, key=lambda row: (-row.leases_uve - row.usage_uve, row.key))[:ROWS_MAX]
    cells = [
        (code(row.key) if row.key else "of none", *(str(getattr(row, f"{name}_uve")) for name in _COLUMNS))
        for row in sorted(first, key=lambda row: row.key)
    ]
    more = f"\n\nAnd {len(rows) - ROWS_MAX} more with less income." if len(rows) > ROWS_MAX else ""
    return table((key.value, *_COLUMNS), cells) + more
