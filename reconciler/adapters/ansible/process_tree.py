"""Ends a program with everything that it has started, however deep and however detached (Linux)."""

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
"""What an engine on this very machine leaves running for its containers: they are labelled, and not a part of
the run.
"""

ROUNDS_MAX = 50
PAUSE_SECONDS = 0.02
_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Whatever our children leave behind becomes our child, so that it can be found."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_below(top: int) -> None:
    """Kill all that runs below a process, until nothing is left but what is spared."""
    for _ in range(ROUNDS_MAX):
        found = list(_below(top))
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
    """Bury our own dead, or they would be found again."""
    if top != os.getpid():
        return
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _below(top: int) -> Iterator[int]:
    for each in _children(top):
        if _name(each) in SPARED:
            continue
        yield from _below(each)
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
    """Ended, and waiting for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
