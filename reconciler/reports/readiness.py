"""Whether the daemon is ready, and why not. Pure."""

from __future__ import annotations

from reconciler.values.readings import CHAIN
from reconciler.values.snapshot import Snapshot
from reconciler.values.times import NEVER
from reconciler.values.views import ReadingView

FAILURES_MAX = 10
"""Consecutive failed cycles after which the daemon is not ready."""


def chain_reading(snapshot: Snapshot) -> ReadingView:
    """When the chain was last seen."""
    return next((r for r in snapshot.readings if r.source == CHAIN), ReadingView(CHAIN, NEVER))


def chain_age_seconds(snapshot: Snapshot, now: int) -> int | None:
    """Seconds since the chain was last seen; None: never."""
    seen_at = chain_reading(snapshot).seen_at
    return max(now - seen_at, 0) if seen_at else None


def unready(snapshot: Snapshot, now: int, stale_seconds: int) -> str:
    """Why the daemon is not ready, "" when it is: cycles succeed, every thread runs, and the chain was seen
    within `stale_seconds`.
    """
    if snapshot.cycle is None:
        return "the first cycle has not ended yet"
    if snapshot.cycle.failures >= FAILURES_MAX:
        return f"the last {snapshot.cycle.failures} cycles failed: {snapshot.cycle.why}"
    if snapshot.failed_threads:
        return f"restart the daemon, a thread was ended by an exception: {'; '.join(snapshot.failed_threads)}"
    chain, age = chain_reading(snapshot), chain_age_seconds(snapshot, now)
    if age is None:
        return "the chain has not been seen yet" + (f": {chain.why}" if chain.why else "")
    if age > stale_seconds:
        why = chain.why or "no cycle has ended since"
        return f"the chain was last seen {age} seconds ago, more than {stale_seconds}: {why}"
    return ""
