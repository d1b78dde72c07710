"""Protects the memory of the process, which has the signing key, from core dumps and other processes."""

from __future__ import annotations

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4


def harden_process() -> None:
    """Forbid core dumps, here and in child processes; on Linux also attaching to this process.

    A process that is not dumpable is not written to a file or to a program of `core_pattern`, and only root
    can read its `/proc/PID/mem` and `environ`. A child that runs another program is dumpable again; for
    children only the limit applies.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
