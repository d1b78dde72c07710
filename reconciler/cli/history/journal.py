"""`provider-daemon journal`: the transactions that the daemon signed, and how they ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click

from reconciler.cli.errors import CliError
from reconciler.cli.options import (
    echo_structured,
    host_option,
    output_option,
    settings_of,
    terminal_width,
)
from reconciler.journal.opening import open_records
from reconciler.reports.columns import table
from reconciler.reports.journal_view import TransactionView, transaction_view
from reconciler.values.text import printable
from reconciler.values.times import NEVER, utc_text

COLUMNS = ("TRANSACTION", "OUTCOME", "TIME", "HEIGHT", "FEE", "MESSAGES")
FOUND_MAX = 20
_HEX = frozenset("0123456789abcdefABCDEF")


@click.group()
def journal() -> None:
    """Show the transactions that the daemon signed. Reads the journal; needs no running daemon."""


@journal.command("list")
@host_option
@output_option
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="Maximum number."
)
def list_transactions(host: Path | None, output: str, limit: int) -> None:
    """List transactions, newest first: outcome, block, fee and messages."""
    with closing(open_records(settings_of(host).state)) as records:
        found = list(map(transaction_view, records.page(0, limit).transactions))
    if echo_structured(found, output):
        return
    for line in table(COLUMNS, [_row(each) for each in found], terminal_width(output)):
        click.echo(line)


@journal.command("show")
@click.argument("tx_hash", metavar="HASH")
@host_option
@output_option
def show(tx_hash: str, host: Path | None, output: str) -> None:
    """Show the transactions whose hash begins with HASH: messages, outcome, reason of a refusal."""
    if not tx_hash or not set(tx_hash) <= _HEX:
        raise click.UsageError(
            f"HASH {printable(tx_hash)!r} is no transaction hash; `journal list` shows them"
        )
    with closing(open_records(settings_of(host).state)) as records:
        found = list(map(transaction_view, records.transactions(tx_hash, FOUND_MAX)))
    if not found:
        raise CliError(f"error: the journal has no transaction {tx_hash}; `journal list` shows them")
    if echo_structured(found, output):
        return
    for each in found:
        for line in _lines(each):
            click.echo(printable(line))


def _row(each: TransactionView) -> tuple[str, ...]:
    more = len(each.messages) - 1
    return (
        each.hash[:12],
        each.outcome,
        utc_text(each.at) if each.at != NEVER else "",
        str(each.height or ""),
        f"{each.fee_uve}uve",
        each.messages[0] + (f" and {more} more" if more else "") if each.messages else "",
    )


def _lines(each: TransactionView) -> Iterator[str]:
    yield f"transaction     {each.hash}"
    yield f"outcome         {each.outcome}" + (f" in block {each.height}" if each.height else "")
    if each.at != NEVER:
        yield f"time            {utc_text(each.at)}"
    yield f"fee             {each.fee_uve}uve"
    yield f"sequence        {each.sequence}"
    yield f"timeout height  {each.timeout_height}"
    if each.log:
        yield f"refusal         {each.log}" + (f" (code {each.code})" if each.code else "")
    yield from (f"message         {message}" for message in each.messages)
