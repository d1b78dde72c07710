"""Whether the daemon is fit to be relied on. Pure."""

from __future__ import annotations

from reconciler.values.snapshot import Snapshot

CHAIN = "chain"
"""The source whose age decides."""


def unready(snapshot: Snapshot, now: int, stale_seconds: int) -> str:
    """Why we are not ready, "" when we are: a cycle has ended, and the chain was seen not long ago."""
    if snapshot.cycle is None:
        return "the first cycle has not ended yet"
    chain = next((r for r in snapshot.readings if r.source == CHAIN), None)
    if chain is None or not chain.seen_at:
        return "the chain has not been seen yet" + (f": {chain.why}" if chain and chain.why else "")
    age = now - chain.seen_at
    if age > stale_seconds:
        why = chain.why or "no cycle has ended since"
        return f"the chain was last seen {age} seconds ago, more than {stale_seconds}: {why}"
    return ""
