"""The options that say where the past is read, and what they mean: a clone, or the daemon's host."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from reconciler.cli.history.history_source import MIRRORED, PUBLISHED, HistoryLocation
from reconciler.cli.options import host_option, settings_of
from reconciler.journal.faults import JournalError
from reconciler.journal.opening import open_records
from reconciler.settings import Flags, Settings, host_file

Command = Callable[..., Any]


def place_options(command: Command) -> Command:
    """--host, --clone, --branch, --path and --provider."""
    for option in (
        click.option("--provider", default="", help="Whose status, where several share the repository."),
        click.option("--path", default="", help="The provider's folder in the repository."),
        click.option("--branch", default="", help="The desired branch; else the clone's usual one."),
        click.option(
            "--clone",
            type=click.Path(path_type=Path, exists=True, file_okay=False),
            help="A clone of the state repository; else the host file's repository, else the current folder.",
        ),
        host_option,
    ):
        command = option(command)
    return command


def host_settings(host: Path | None, clone: Path | None) -> Settings | None:
    """The settings, where this is the daemon's host; None where a clone is meant."""
    named = host_file(Flags(host), os.environ)
    return settings_of(host) if clone is None and (host or named.exists()) else None


def place_in_clone(clone: Path | None, branch: str, path: str, provider: str) -> HistoryLocation:
    """A clone, or the current folder's."""
    return HistoryLocation(clone or Path(), path.strip("/"), branch, provider=provider)


def place_on_host(settings: Settings) -> HistoryLocation:
    """The repository on this machine, or the daemon's mirror of one elsewhere, as it last was."""
    repository = settings.repository
    if repository.is_local:
        desired = f"refs/heads/{repository.branch}"
        return HistoryLocation(Path(repository.url), repository.path, desired, provider=settings.provider)
    mirror = settings.state / "mirror.git"
    return HistoryLocation(mirror, repository.path, MIRRORED, _published(settings), settings.provider)


def _published(settings: Settings) -> str:
    """The last commit that was pushed, as the journal says; the mirror holds it."""
    try:
        records = open_records(settings.state)
    except JournalError:
        return PUBLISHED
    try:
        return records.published() or PUBLISHED
    finally:
        records.close()
