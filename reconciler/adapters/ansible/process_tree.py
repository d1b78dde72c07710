"""Kills a process with all its descendants, detached ones too (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

SPARED = frozenset(
    ("conmon", "aardvark-dns", "catatonit", "slirp4netns", "pasta", "rootlessport", "fuse-overlayfs")
)
"""Processes that an engine on this machine keeps for its containers; they belong to no run."""

ROUNDS_MAX = 50
PAUSE_SECONDS = 0.02
_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants, so that they can be found."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill_descendants(top: int) -> None:
    """Kill all descendants of a process but SPARED, until none is left."""
    for _ in range(ROUNDS_MAX):
        found = list(_descendants(top))
        if not found:
            return
        for each in found:
            try:
                os.kill(each, signal.SIGKILL)
            except ProcessLookupError:
                continue
        _reap(top)
        time.sleep(PAUSE_SECONDS)


def _reap(top: int) -> None:
    """Reap our own zombies, or they would be found again."""
    if top != os.getpid():
        return
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _descendants(top: int) -> Iterator[int]:
    for each in _children(top):
        if _name(each) in SPARED:
            continue
        yield from _descendants(each)
        if not _is_dead(each):
            yield each


def _children(parent: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{parent}/task").glob("*/children"):
        try:
            found += [int(word) for word in path.read_text().split()]
        except OSError:
            continue
    return found


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _is_dead(pid: int) -> bool:
    """Whether it is a zombie or gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
