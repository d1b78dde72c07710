"""`provider-daemon reconcile`: have the running daemon look at the repository and run a cycle, now."""

from __future__ import annotations

import time
from pathlib import Path

import click

from reconciler.cli.api_client import ask
from reconciler.cli.errors import CliError
from reconciler.cli.options import host_option, settings_of

TICK_SECONDS = 0.1


@click.command()
@host_option
@click.option(
    "--wait",
    type=click.FloatRange(0, 600),
    default=0.0,
    help="Return once that cycle has ended, within so many seconds.",
)
def reconcile(host: Path | None, wait: float) -> None:
    """Look at the repository, and run a cycle, now; nothing is done that would not be done anyhow."""
    listen = settings_of(host).listen
    before = _digest_of(ask(listen, "/api/v1/status"))
    ask(listen, "/api/v1/reconcile", "POST")
    until = time.monotonic() + wait
    while wait:
        cycle = ask(listen, "/api/v1/status")["cycle"]
        if cycle and _digest_of({"cycle": cycle}) != before:
            why = f": {cycle['why']}" if cycle["why"] else ""
            click.echo(f"a cycle ended at {cycle['finished_at']}, {cycle['outcome']}{why}")
            return
        if time.monotonic() > until:
            raise CliError(
                f"error: no cycle has ended within {wait:g} seconds; `provider-daemon status` shows why"
            )
        time.sleep(TICK_SECONDS)
    click.echo("asked; the daemon looks at the repository and runs a cycle now")


def _digest_of(answer: dict[str, dict[str, object]]) -> object:
    """Tells one cycle from another: two never take the same time to the last digit."""
    cycle = answer["cycle"]
    return (cycle["finished_at"], cycle["duration_seconds"]) if cycle else None
