"""Generated examples are the same in every run; `EXAMPLES=5000` looks further, elsewhere each time. Temporary
files are in memory where there is room, as the journal and git wait for the disk at each write. Slow folders
run first, so that no worker still has one when the others are done.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("EXAMPLES", "0"))

SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of a test
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=SLOW)
settings.register_profile(
    "elsewhere", max_examples=EXAMPLES or 100, deadline=None, suppress_health_check=SLOW
)
settings.load_profile("elsewhere" if EXAMPLES else "same")

MEMORY = Path("/dev/shm")  # pytest makes a directory of its own in it
ROOM_BYTES = 2 * 1024**3
"""A run needs about a third of it."""


def has_room(directory: Path) -> bool:
    """Whether files can be written and executed here, and there is room for a run: not so in containers."""
    try:
        disk = os.statvfs(directory)
    except OSError:
        return False
    return (
        os.access(directory, os.W_OK)
        and not disk.f_flag & os.ST_NOEXEC
        and disk.f_bavail * disk.f_frsize >= ROOM_BYTES
    )


if "TMPDIR" not in os.environ and has_room(MEMORY):
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


SLOW_FOLDERS = ("simulation", "e2e", "devnet", "planning", "ci", "git")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _rank(item.path.relative_to(Path(__file__).parent).parts[0]))


def _rank(folder: str) -> int:
    return SLOW_FOLDERS.index(folder) if folder in SLOW_FOLDERS else len(SLOW_FOLDERS)
