"""`provider-daemon status`: the running daemon's last cycle, in a page; `--watch` keeps it current."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from reconciler.cli.api_client import ask
from reconciler.cli.errors import CliError
from reconciler.cli.options import host_option, output_option, settings_of
from reconciler.cli.status.page import StatusPage, page_lines
from reconciler.git.repository import GitRepository
from reconciler.settings import Settings
from reconciler.wiring import place_of

ENDING = ("exhausted", "critical", "low")
"""States of funds that a page lists leases of."""

HOME, REST_OF_LINE, REST_OF_PAGE = "\x1b[H", "\x1b[K", "\x1b[J"
OTHER_SCREEN, FIRST_SCREEN = "\x1b[?1049h", "\x1b[?1049l"


@click.command()
@host_option
@output_option
@click.option("--watch", is_flag=True, help="Show it again whenever it changes, until Ctrl-C.")
@click.option("--every", type=click.FloatRange(0.1, 3600), default=2.0, show_default=True, help="Seconds.")
def status(host: Path | None, output: str, watch: bool, every: float) -> None:
    """Show the provider, its money, its leases and workloads, and what is held."""
    settings = settings_of(host)
    if not watch:
        for line in _told(settings, output):
            click.echo(line)
        return
    screen = Screen()
    try:
        while True:
            screen.show(_now(settings, output))
            time.sleep(every)
    except KeyboardInterrupt:
        return
    finally:
        screen.close()


class Screen:
    """Redraws in place on a terminal; else prints what changed, a blank line between."""

    def __init__(self) -> None:
        self._live = sys.stdout.isatty()
        self._shown: list[str] = []
        if self._live:
            click.echo(OTHER_SCREEN, nl=False)

    def show(self, lines: list[str]) -> None:
        """Show these lines in the place of those before."""
        if self._live:
            columns, rows = _size()
            cut = [line[: columns - 1] for line in lines[: rows - 1]]
            click.echo(HOME + "".join(f"{line}{REST_OF_LINE}\n" for line in cut) + REST_OF_PAGE, nl=False)
        elif lines != self._shown:
            for line in [*([""] if self._shown else []), *lines]:
                click.echo(line)
        sys.stdout.flush()
        self._shown = lines

    def close(self) -> None:
        """Leave the last page on the terminal that was there before."""
        if self._live:
            click.echo(FIRST_SCREEN, nl=False)
            for line in self._shown:
                click.echo(line)


def _size() -> tuple[int, int]:
    found = shutil.get_terminal_size()
    return found.columns, found.lines


def _now(settings: Settings, output: str) -> list[str]:
    """A daemon that does not answer is waited for."""
    try:
        return list(_told(settings, output))
    except CliError as why:
        return [str(why)]


def _told(settings: Settings, output: str) -> Iterator[str]:
    answer = ask(settings.listen, "/api/v1/status")
    if output == "json":
        yield from json.dumps(answer, indent=2).splitlines()
        return
    listen = settings.listen
    leases = {state: ask(listen, f"/api/v1/leases?funding={state}&limit=20") for state in ENDING}
    yield from page_lines(StatusPage(answer, ask(listen, "/api/v1/workloads"), leases))
    for path in GitRepository(place_of(settings), settings.state).uncommitted():
        yield f"unused     {path} was edited and not committed; what counts is the commit"
