"""`provider-daemon drain`: a file that the daemon reads each cycle; no new bids, leases go on."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options import host_option, settings_of
from reconciler.settings import DRAIN_FILE


@click.command()
@host_option
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    help="The state directory, where the host file cannot be read.",
)
@click.option("--off", is_flag=True, help="Let it bid again.")
def drain(host: Path | None, state: Path | None, off: bool) -> None:
    """Bid on nothing from the next cycle on; leases, workloads and withdrawals go on."""
    path = (state or settings_of(host).state) / DRAIN_FILE
    if off:
        path.unlink(missing_ok=True)
        click.echo("bids are made again from the next cycle on")
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch()
    click.echo(f"no bids from the next cycle on, as {path} is there; `drain --off` ends it")
