"""Keeps the memory of the process, which holds the signing key, from core dumps and other processes."""

from __future__ import annotations

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4


def harden_process() -> None:
    """Forbid core dumps, here and in every child process; on Linux also attaching to this process.

    Not dumpable, a process is dumped into no file and no program of `core_pattern`, and the kernel gives
    `/proc/PID/mem` and `environ` to root alone. A child process that runs another program is dumpable again,
    so that for children only the limit counts.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
