"""`provider-daemon run`: the loop, its servers and its signal handlers."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
from pathlib import Path

import click

from reconciler.cli.logs import log_to_stderr
from reconciler.cli.options import host_option, settings_of
from reconciler.cycle.watchdog import Watchdog, WatchdogBounds
from reconciler.reports.plan_text import headline
from reconciler.runtime.systemd import Systemd
from reconciler.wiring import Daemon, open_daemon

log = logging.getLogger(__name__)

STDERR = 2


@click.command()
@host_option
@click.option("--once", is_flag=True, help="Run cycles until nothing is left to do, publish, and exit.")
@click.option("--observe-only", is_flag=True, help="Plan everything, sign nothing.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def run(host: Path | None, once: bool, observe_only: bool, log_format: str) -> None:
    """Reconcile: observe, confirm, plan, apply, publish; until stopped."""
    log_to_stderr(log_format)
    faulthandler.enable(STDERR)  # a watchdog's SIGABRT leaves every thread's stack in the log
    systemd = Systemd(os.environ)
    settings = settings_of(host, observe_only=observe_only)
    with open_daemon(settings, background=not once) as daemon:

        def stop(*_: object) -> None:
            systemd.stopping()
            daemon.stop()

        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, stop)
        if once:
            click.echo(headline(daemon.loop.once().planned.plan))
            return
        _serve(daemon, systemd)


def _serve(daemon: Daemon, systemd: Systemd) -> None:
    watchdog = Watchdog(_bounds(daemon, systemd), systemd.alive)
    with daemon.serve() as addresses:
        log.info("provider-daemon runs; API on %s, metrics on %s", *addresses)
        systemd.ready("API on {}, metrics on {}".format(*addresses))
        daemon.snapshots.subscribe(watchdog.beat)
        watchdog.start()
        try:
            daemon.loop.run()
        finally:
            watchdog.close()
    log.info("provider-daemon has stopped")


def _bounds(daemon: Daemon, systemd: Systemd) -> WatchdogBounds:
    """Limits by the host file's interval of cycles; systemd is notified three times per watchdog interval."""
    wait, plain = daemon.settings.cycle_at_most_seconds, WatchdogBounds()
    interval = plain.interval_seconds
    if systemd.watchdog_seconds is not None:
        interval = min(interval, systemd.watchdog_seconds / 3)
    return WatchdogBounds(plain.late_seconds + wait, plain.stuck_seconds + wait, interval)
