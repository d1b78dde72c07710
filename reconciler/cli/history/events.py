"""`provider-daemon events`: what happened, from the journal; newest last."""

from __future__ import annotations

import json
from pathlib import Path

import click

from reconciler.cli.history.event_lines import EventLine, line
from reconciler.cli.options import host_option, output_option, settings_of
from reconciler.cli.times import moment, since
from reconciler.journal.opening import open_records
from reconciler.values.text import printable


@click.command()
@host_option
@output_option
@click.option("--since", "start", metavar="TIME", help="15m, 2h, 7d ago, or a time as 2026-01-31T08:00:00Z.")
@click.option(
    "--limit", type=click.IntRange(1, 50_000), default=100, show_default=True, help="The newest so many."
)
def events(host: Path | None, output: str, start: str | None, limit: int) -> None:
    """Show steps of lifecycles, transactions that ended and what came of effects; newest last.

    Works without a running daemon: its journal keeps the last 50,000.
    """
    records = open_records(settings_of(host).state)
    try:
        found = [line(each) for each in records.events(since(start) if start else 0, limit)]
    finally:
        records.close()
    if output == "json":
        click.echo(json.dumps([_fields(each) for each in found], indent=2))
        return
    for each in found:
        click.echo(f"{moment(each.at)}  {each.kind:<11}  {printable(each.says)}")
    if not found:
        click.echo("no events on record" + (f" since {start}" if start else ""))


def _fields(found: EventLine) -> dict[str, object]:
    return {
        "at": moment(found.at),
        "kind": found.kind,
        "subjects": list(found.subjects),
        "says": found.says,
    }
