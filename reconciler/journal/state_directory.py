"""The state directory: its permissions keep other users from every file in it."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from reconciler.journal.errors import JournalError

log = logging.getLogger(__name__)


def make_state_directory(directory: Path) -> None:
    """Create it with mode 0700 if missing; otherwise remove permissions of others.

    JournalError if another user owns it, or anyone may write into it: its links, keys and journals could be
    another user's.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.stat()
        uid = os.geteuid()
        if uid != 0 and found.st_uid not in (uid, 0):
            raise JournalError(
                f"the state directory {directory} belongs to user {found.st_uid}, who could replace its "
                f"files; run the daemon as that user, or name another directory in the host file"
            )
        if found.st_mode & stat.S_IWOTH:
            raise JournalError(
                f"anyone may write into the state directory {directory}, so its files may be forged; list "
                f"them with find {directory} -not -user {uid}, then run chmod 700 {directory}"
            )
        if found.st_mode & 0o077 and found.st_uid == uid:
            directory.chmod(0o700)
            log.warning("others could enter the state directory %s; its mode is 0700 now", directory)
    except OSError as error:
        raise JournalError(
            f"the state directory {directory} cannot be made: {error.strerror}; make it for the daemon's "
            f"user, or name another in the host file"
        ) from None
