"""`provider-daemon ledger`: every change of the wallet's balance, and what it was for."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import astuple, fields
from pathlib import Path

import click

from reconciler.cli.options import host_option, settings_of
from reconciler.cli.times import since as time_of
from reconciler.journal.opening import open_records
from reconciler.reports.columns import table
from reconciler.reports.ledger import LedgerEntryView, LedgerKey, LedgerSums, LedgerView, ledger_view
from reconciler.reports.view_json import view_text
from reconciler.values.times import utc_text

_TIME = "15m, 2h or 7d ago, or 2026-01-31T08:00:00Z."


@click.command()
@host_option
@click.option("--since", "start", metavar="TIME", help=f"First time: {_TIME}")
@click.option("--until", "end", metavar="TIME", help=f"Time after the last: {_TIME}")
@click.option(
    "--by",
    type=click.Choice([key.value for key in LedgerKey]),
    help="Show sums instead of entries.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="A table with totals, or csv or json for programs.",
)
def ledger(host: Path | None, start: str | None, end: str | None, by: str | None, form: str) -> None:
    """Show every change of the wallet's balance in uve, with its transaction and the commit in force.

    Reads the journal; needs no running daemon. The sum of all entries is the wallet's balance; what leases
    have accrued but not paid yet is in `status`.
    """
    records = open_records(settings_of(host).state)
    try:
        booked = records.ledger()
    finally:
        records.close()
    view = ledger_view(
        booked,
        time_of(start) if start else 0,
        time_of(end, "--until") if end else 0,
        LedgerKey(by) if by else None,
    )
    if form == "json":
        click.echo(view_text(view), nl=False)
    elif form == "csv":
        rows = view.sums if by else view.entries
        click.echo(_csv(LedgerSums if by else LedgerEntryView, rows), nl=False)
    else:
        for line in _lines(view, by):
            click.echo(line)


def _csv(kind: type, rows: Sequence[LedgerSums | LedgerEntryView]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(kind)])
    for row in rows:
        writer.writerow(_cell(row, field.name) for field in fields(kind))
    return text.getvalue()


def _cell(row: LedgerSums | LedgerEntryView, name: str) -> str:
    """A field as text; a program that opens the file must not take text for a formula."""
    value = getattr(row, name)
    text = utc_text(value) if name == "at" else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "@") else text


def _lines(view: LedgerView, by: str | None) -> Iterator[str]:
    if by:
        sums = ("LEASES", "USAGE", "FEES", "EARNED", "DEPOSITS", "PAYOUTS", "EXTERNAL", "UNEXPLAINED")
        yield from table((by.upper(), *sums), [[str(cell) for cell in astuple(row)] for row in view.sums])
    elif view.entries:
        names = ("TIME", "HEIGHT", "KIND", "AMOUNT", "BALANCE", "LEASE OR ACCOUNT", "TRANSACTION", "COMMIT")
        yield from table(names, [_row(each) for each in view.entries])
    total = view.total
    yield from (
        "",
        f"balance before   {view.opening_uve:>18,}uve",
        f"leases paid      {total.leases_uve:>18,}uve",
        f"usage settled    {total.usage_uve:>18,}uve",
        f"fees             {total.fees_uve:>18,}uve",
        f"deposits of bids {total.deposits_uve:>18,}uve",
        f"payouts          {total.payouts_uve:>18,}uve",
        f"external         {total.external_uve:>18,}uve",
        f"unexplained      {total.unexplained_uve:>18,}uve",
        f"balance after    {view.balance_uve:>18,}uve",
        f"earned           {total.earned_uve:>18,}uve   leases and usage, less fees",
    )


def _row(each: LedgerEntryView) -> tuple[str, ...]:
    return (
        utc_text(each.at),
        str(each.height),
        each.kind.value,
        str(each.amount_uve),
        str(each.balance_uve),
        each.lease or each.counterparty,
        each.transaction[:12],
        each.revision[:12],
    )
