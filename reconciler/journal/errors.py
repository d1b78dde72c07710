"""Errors of the journal, with messages for the operator."""

from __future__ import annotations

from reconciler.ports import StorageError

REBUILD = (
    "stop the daemon, move the file away together with those beside it that end in -wal and -shm, and start "
    "again: it rebuilds from the chain and the cluster, and spends nothing until 20 blocks have passed"
)
"""The advice for a damaged journal."""


class JournalError(StorageError):
    """The journal cannot be used; the text says where it is, why, and what to do."""


class JournalLockedError(JournalError):
    """Another daemon holds the journal; its text names it."""


class JournalBrokenError(JournalError):
    """The file is damaged or is not ours."""

    def __init__(self, path: object, why: object, advice: str = REBUILD) -> None:
        super().__init__(f"the journal {path} cannot be read: {why}; {advice}")
