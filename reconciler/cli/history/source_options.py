"""Options that select where history is read: a clone, or the daemon's host."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from reconciler.cli.history.history_source import MIRRORED, PUBLISHED, HistoryLocation
from reconciler.cli.options import host_option, settings_of
from reconciler.journal.errors import JournalError
from reconciler.journal.opening import open_records
from reconciler.settings import Flags, Settings, host_file

Command = Callable[..., Any]


def place_options(command: Command) -> Command:
    """--host, --clone, --branch, --path and --provider."""
    for option in (
        click.option("--provider", default="", help="The provider, if several share the repository."),
        click.option("--path", default="", help="The provider's folder in the repository."),
        click.option("--branch", default="", help="The desired branch; default: the clone's default branch."),
        click.option(
            "--clone",
            type=click.Path(path_type=Path, exists=True, file_okay=False),
            help="A clone of the state repository; default: the host file's, or the current folder.",
        ),
        host_option,
    ):
        command = option(command)
    return command


def host_settings(host: Path | None, clone: Path | None) -> Settings | None:
    """The settings of the daemon's host; None if a clone is selected."""
    named = host_file(Flags(host), os.environ)
    return settings_of(host) if clone is None and (host or named.exists()) else None


def place_in_clone(clone: Path | None, branch: str, path: str, provider: str) -> HistoryLocation:
    """A clone, or the one of the current folder."""
    return HistoryLocation(clone or Path(), path.strip("/"), branch, provider=provider)


def place_on_host(settings: Settings) -> HistoryLocation:
    """The local repository, or the daemon's last mirror of a remote one."""
    repository = settings.repository
    if repository.is_local:
        desired = f"refs/heads/{repository.branch}"
        return HistoryLocation(Path(repository.url), repository.path, desired, provider=settings.provider)
    mirror = settings.state / "mirror.git"
    return HistoryLocation(mirror, repository.path, MIRRORED, _published(settings), settings.provider)


def _published(settings: Settings) -> str:
    """The last pushed commit, from the journal; the mirror has it."""
    try:
        records = open_records(settings.state)
    except JournalError:
        return PUBLISHED
    try:
        return records.published() or PUBLISHED
    finally:
        records.close()
