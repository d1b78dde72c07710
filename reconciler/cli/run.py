"""`provider-daemon run`: the loop, its servers and its signals."""

from __future__ import annotations

import logging
import signal
from pathlib import Path

import click

from reconciler.cli.logs import log_to_stderr
from reconciler.cli.options import host_option, settings_of
from reconciler.reports.plan_text import headline
from reconciler.wiring import Daemon, opened

log = logging.getLogger(__name__)


@click.command()
@host_option
@click.option("--once", is_flag=True, help="Cycle until nothing is left to do, publish, and end.")
@click.option("--observe-only", is_flag=True, help="Plan everything and sign nothing.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def run(host: Path | None, once: bool, observe_only: bool, log_format: str) -> None:
    """Reconcile: observe, confirm, plan, apply, publish; until stopped."""
    log_to_stderr(log_format)
    with opened(settings_of(host, observe_only=observe_only)) as daemon:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: daemon.stop())
        if once:
            click.echo(headline(daemon.loop.once().finding.plan))
            return
        _serve(daemon)


def _serve(daemon: Daemon) -> None:
    with daemon.served() as addresses:
        log.info("provider-daemon runs; API on %s, metrics on %s", *addresses)
        daemon.loop.run()
    log.info("provider-daemon has stopped")
