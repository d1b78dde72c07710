"""`provider-daemon drain` and `stop-spending`: files that the daemon checks each cycle; they need no git."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options import host_option, options, settings_of
from reconciler.settings import DRAIN_FILE, STOP_FILE

stop_file_options = options(
    host_option,
    click.option(
        "--state",
        type=click.Path(path_type=Path),
        help="The state directory, if the host file cannot be read.",
    ),
    click.option("--off", is_flag=True, help="End it: bidding or spending resumes."),
)


@click.command()
@stop_file_options
def drain(host: Path | None, state: Path | None, off: bool) -> None:
    """Stop bidding from the next cycle on; leases, workloads and withdrawals continue."""
    path = (state or settings_of(host).state) / DRAIN_FILE
    if _set(path, off=off):
        click.echo(f"no bids from the next cycle on, as {path} exists; `drain --off` ends it")
    else:
        click.echo("bidding resumes in the next cycle")


@click.command("stop-spending")
@stop_file_options
def stop_spending(host: Path | None, state: Path | None, off: bool) -> None:
    """Stop signing and sending from the next cycle on; leases and workloads continue."""
    path = (state / STOP_FILE) if state else settings_of(host).stop_file
    if _set(path, off=off):
        click.echo(f"spending stops with the next cycle, as {path} exists; `stop-spending --off` ends it")
    else:
        click.echo("spending is allowed from the next cycle on")


def _set(path: Path, *, off: bool) -> bool:
    """Create or remove the file; whether it exists now."""
    if off:
        path.unlink(missing_ok=True)
    else:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch()
    return not off
