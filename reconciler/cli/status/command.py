"""`provider-daemon status`: the running daemon's last cycle on one page; `--watch` refreshes it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from reconciler.cli.api_client import fetch
from reconciler.cli.errors import CliError
from reconciler.cli.options import host_option, is_text, output_option, settings_of, structured_text
from reconciler.cli.status.page import StatusPage, page_lines
from reconciler.reports.list_view import ListView
from reconciler.reports.provider_view import StatusView
from reconciler.settings import Settings
from reconciler.values.funding import Funding
from reconciler.values.views import LeaseView, WorkloadView

RUNNING_OUT = (Funding.EXHAUSTED, Funding.UNFUNDED, Funding.CRITICAL, Funding.LOW)
"""The states of funds whose leases the page lists."""

CURSOR_HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
ALTERNATE_SCREEN, MAIN_SCREEN = "\x1b[?1049h", "\x1b[?1049l"


@click.command()
@host_option
@output_option
@click.option("--watch", is_flag=True, help="Refresh it every --every seconds, until Ctrl-C.")
@click.option(
    "--every",
    type=click.FloatRange(0.1, 3600),
    default=2.0,
    show_default=True,
    help="Interval of --watch in seconds.",
)
def status(host: Path | None, output: str, watch: bool, every: float) -> None:
    """Show the provider, its money, leases, workloads and holds."""
    settings = settings_of(host)
    if not watch:
        first, *rest = _lines(settings, output)
        for line in (emphasised(first) if is_text(output) else first, *rest):
            click.echo(line)
        return
    screen = Screen()
    try:
        while True:
            screen.show(_lines_or_error(settings, output))
            time.sleep(every)
    except KeyboardInterrupt:
        return
    finally:
        screen.close()


def screenful(lines: list[str], columns: int, rows: int) -> list[str]:
    """The lines that fit, the last of which counts those below."""
    if (more := len(lines) - rows) > 0:
        lines = [*lines[: rows - 1], f"{more + 1} more lines below: make the window taller"]
    return [line[:columns] for line in lines]


def emphasised(line: str) -> str:
    """The first line in bold on a terminal, unless $NO_COLOR is set; as it is elsewhere."""
    is_plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR")
    return line if is_plain else click.style(line, bold=True)


class Screen:
    """Redraws in place on a terminal; else prints each changed page after a blank line."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._page: list[str] = []
        if self._is_terminal:
            click.echo(ALTERNATE_SCREEN, nl=False)

    def show(self, lines: list[str]) -> None:
        """Replace the page."""
        if self._is_terminal:
            columns, rows = shutil.get_terminal_size()
            first, *rest = screenful(lines, columns - 1, rows - 1)
            cut = [emphasised(first), *rest]
            click.echo(CURSOR_HOME + "".join(f"{line}{CLEAR_LINE}\n" for line in cut) + CLEAR_BELOW, nl=False)
        elif lines != self._page:
            for line in [*([""] if self._page else []), *lines]:
                click.echo(line)
        sys.stdout.flush()
        self._page = lines

    def close(self) -> None:
        """Return to the main screen and print the last page there."""
        if self._is_terminal:
            click.echo(MAIN_SCREEN, nl=False)
            for line in self._page:
                click.echo(line)


def _lines_or_error(settings: Settings, output: str) -> list[str]:
    """The page, or the error in its place."""
    try:
        return list(_lines(settings, output))
    except CliError as error:
        return [str(error)]


def _lines(settings: Settings, output: str) -> Iterator[str]:
    listen = settings.listen
    status = fetch(listen, "/api/v1/status", StatusView)
    if (text := structured_text(status, output)) is not None:
        yield from text.splitlines()
        return
    leases = {
        state: fetch(listen, f"/api/v1/leases?funding={state}&limit=20", ListView[LeaseView]).items
        for state in RUNNING_OUT
    }
    workloads = fetch(listen, "/api/v1/workloads", ListView[WorkloadView]).items
    yield from page_lines(StatusPage(status, workloads, leases))
    if not settings.repository.is_local:
        return
    from reconciler.git.repository import GitRepository

    for path in GitRepository(settings.repository, settings.state).uncommitted():
        yield f"unused     {path} has uncommitted changes; only commits are applied"
