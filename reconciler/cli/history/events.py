"""`provider-daemon events`: the journal's events, newest last."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options import echo_structured, host_option, output_option, settings_of
from reconciler.cli.times import since
from reconciler.journal.opening import open_records
from reconciler.reports.events import event_view
from reconciler.values.text import printable
from reconciler.values.times import utc_text


@click.command()
@host_option
@output_option
@click.option(
    "--since", "start", metavar="TIME", help="Start time: 15m, 2h or 7d ago, or 2026-01-31T08:00:00Z."
)
@click.option(
    "--limit",
    type=click.IntRange(1, 50_000),
    default=100,
    show_default=True,
    help="Maximum number of events.",
)
def events(host: Path | None, output: str, start: str | None, limit: int) -> None:
    """Show lifecycle steps, ended transactions, verdicts, approvals and results of effects; newest last.

    Reads the journal, which keeps the last 50,000; needs no running daemon.
    """
    records = open_records(settings_of(host).state)
    try:
        found = list(map(event_view, records.events(since(start) if start else 0, limit)))
    finally:
        records.close()
    if echo_structured(found, output):
        return
    for each in found:
        click.echo(f"{utc_text(each.at)}  {each.kind:<11}  {printable(each.message)}")
    if not found:
        click.echo("no events are recorded" + (f" since {start}" if start else ""))
