"""`provider-daemon stop-spending`: a file that the daemon reads each cycle; needs no git, chain or API."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options import host_option, settings_of
from reconciler.settings import STOP_FILE


@click.command("stop-spending")
@host_option
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    help="The state directory, where the host file cannot be read.",
)
@click.option("--off", is_flag=True, help="Let it spend again.")
def stop_spending(host: Path | None, state: Path | None, off: bool) -> None:
    """Sign and send nothing from the next cycle on; leases and workloads go on."""
    path = (state / STOP_FILE) if state else settings_of(host).stop_file
    if off:
        path.unlink(missing_ok=True)
        click.echo("spending is allowed from the next cycle on")
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch()
    click.echo(f"spending stops with the next cycle, as {path} is there; `stop-spending --off` ends it")
