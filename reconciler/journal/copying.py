"""Copies the journal of a running daemon, to read and plan without touching the original."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from reconciler.journal.database import NAME
from reconciler.journal.errors import JournalError


def copy_journal(directory: Path, scratch: Path) -> None:
    """Copy the journal of a state directory into another, consistently; does nothing if there is none."""
    source = directory / NAME
    if not source.exists():
        return
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as original,
            closing(sqlite3.connect(scratch / NAME)) as copy,
        ):
            original.backup(copy)
    except sqlite3.Error as error:
        raise JournalError(f"the journal {source} cannot be copied: {error}") from None
