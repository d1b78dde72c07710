"""Whether the daemon is fit to be relied on. Pure."""

from __future__ import annotations

from reconciler.values.snapshot import ReadingAge, Snapshot

FAILURES_MAX = 10
"""So many cycles in a row that failed are no passing trouble."""

CHAIN = "chain"
"""The source whose age decides."""


def chain_reading(snapshot: Snapshot) -> ReadingAge:
    """When the chain was last seen well."""
    return next((r for r in snapshot.readings if r.source == CHAIN), ReadingAge(CHAIN, 0))


def age_of_chain(snapshot: Snapshot, now: int) -> int | None:
    """Seconds since the chain was last seen well; None: never."""
    seen_at = chain_reading(snapshot).seen_at
    return max(now - seen_at, 0) if seen_at else None


def unready(snapshot: Snapshot, now: int, stale_seconds: int) -> str:
    """Why we are not ready, "" when we are: cycles end well, every thread runs, and the chain was seen not
    long ago.
    """
    if snapshot.cycle is None:
        return "the first cycle has not ended yet"
    if snapshot.cycle.failures >= FAILURES_MAX:
        return f"the last {snapshot.cycle.failures} cycles failed: {snapshot.cycle.why}"
    if snapshot.failed_threads:
        return f"restart the daemon, a thread was ended by an exception: {'; '.join(snapshot.failed_threads)}"
    chain, age = chain_reading(snapshot), age_of_chain(snapshot, now)
    if age is None:
        return "the chain has not been seen yet" + (f": {chain.why}" if chain.why else "")
    if age > stale_seconds:
        why = chain.why or "no cycle has ended since"
        return f"the chain was last seen {age} seconds ago, more than {stale_seconds}: {why}"
    return ""
