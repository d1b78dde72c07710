"""The lock of the state directory: one daemon at a time; released when the process exits."""

from __future__ import annotations

import fcntl
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from reconciler.journal.errors import JournalError, JournalLockedError

NAME = "daemon.lock"


class DaemonLock:
    """An flock on `daemon.lock` in the state directory; released when the process exits.

    Raises JournalLockedError while another process has it.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalError(
                f"the lock {self._path} cannot be opened: {error.strerror}; give the daemon's user the "
                f"state directory {directory}, or name another in the host file"
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise JournalLockedError(
                f"another daemon is using {directory} ({holder(directory)}); stop it first, or give this one "
                f"another state directory in its host file"
            ) from None
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        os.ftruncate(self._file, 0)
        os.write(self._file, f"pid {os.getpid()} on {socket.gethostname()} since {since} UTC\n".encode())

    def release(self) -> None:
        """Release the lock; the file stays, as otherwise two daemons could each lock a file of that name."""
        if self._file >= 0:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> DaemonLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def holder(directory: Path) -> str:
    """The current or last owner of the lock: `pid 12 on host since 2026-01-31 08:00:00 UTC`."""
    try:
        text = (directory / NAME).read_text(encoding="utf-8", errors="replace")[:200].strip()
    except OSError:
        text = ""
    return text or "owner unknown"
