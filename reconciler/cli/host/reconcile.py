"""`provider-daemon reconcile`: makes the running daemon read the repository and run a cycle."""

from __future__ import annotations

import time
from pathlib import Path

import click

from reconciler.cli.api_client import fetch, request_cycle
from reconciler.cli.errors import CliError
from reconciler.cli.options import host_option, settings_of
from reconciler.reports.provider_view import StatusView
from reconciler.values.times import utc_text

TICK_SECONDS = 0.1


@click.command()
@host_option
@click.option(
    "--wait",
    type=click.FloatRange(0, 600),
    default=0.0,
    help="Wait for the end of that cycle for up to this many seconds.",
)
def reconcile(host: Path | None, wait: float) -> None:
    """Read the repository and run a cycle now, instead of at the next interval."""
    listen = settings_of(host).listen
    before = fetch(listen, "/api/v1/status", StatusView).cycle
    request_cycle(listen)
    until = time.monotonic() + wait
    while wait:
        cycle = fetch(listen, "/api/v1/status", StatusView).cycle
        if cycle and cycle != before:  # no two cycles have the same times
            why = f": {cycle.why}" if cycle.why else ""
            click.echo(f"a cycle ended at {utc_text(cycle.finished_at)}, {cycle.outcome}{why}")
            return
        if time.monotonic() > until:
            raise CliError(
                f"error: no cycle has ended within {wait:g} seconds; `provider-daemon status` shows why"
            )
        time.sleep(TICK_SECONDS)
    click.echo("requested; the daemon fetches the repository and runs a cycle now")
