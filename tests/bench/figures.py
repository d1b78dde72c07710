"""Measuring and printing figures."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from statistics import median

MEGABYTE = 1024


def cpu_ms(act: Callable[[], object], times: int = 5) -> float:
    """The median CPU time of one call in milliseconds, without other processes."""
    taken = []
    for _ in range(times):
        began = time.process_time()
        act()
        taken.append(1000 * (time.process_time() - began))
    return median(taken)


def wall_ms(act: Callable[[], object]) -> float:
    """The wall-clock time of one call in milliseconds."""
    began = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - began)


def peak_mb() -> float:
    """The peak memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE


def show(what: str, figure: str, ratio: str = "") -> None:
    """One line."""
    print(f"{what:<58} {figure:>12}  {ratio}", flush=True)
