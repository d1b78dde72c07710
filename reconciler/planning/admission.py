"""Which revision is applied: the newest, unless it breaks what the host file demands; else the last one goes
on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from reconciler.values.desired import Desired, Pricing, Revision, Revisions
from reconciler.values.limits import Limits
from reconciler.values.money import show_rate
from reconciler.values.plans import Hold, Reason
from reconciler.values.readings import Reading, Unseen

SUBJECT = "repository"
PRICES = ("cpu_millicores", "memory_mb", "storage_mb", "gpu")


@dataclass(frozen=True, slots=True)
class Admitted:
    """The desired state in force, None where none ever was, and why it is not the newest."""

    desired: Desired | None
    holds: tuple[Hold, ...] = ()


def admit(reading: Reading[Revisions], limits: Limits) -> Admitted:
    """Choose the revision; the holds name the commit that waits and what to do."""
    if isinstance(reading, Unseen):
        return Admitted(None, (Hold(SUBJECT, Reason.REPOSITORY_UNSEEN, reading.why, ours=True),))
    revisions = reading.view
    holds = tuple(_objections(revisions, limits))
    notes = _notes(revisions)
    if not holds:
        return Admitted(revisions.newest.desired, notes)
    applied = revisions.applied.desired if revisions.applied else None
    return Admitted(applied, (*holds, *notes))


def _notes(revisions: Revisions) -> tuple[Hold, ...]:
    stale = [Hold(SUBJECT, Reason.REPOSITORY_UNSEEN, revisions.stale)] if revisions.stale else []
    faults = [
        Hold(f.path, Reason.FILE_FAULTY, f"{f.show()}; its last good version goes on", ours=True)
        for f in revisions.newest.desired.faults
        if not f.warning
    ]
    return (*stale, *faults)


def _objections(revisions: Revisions, limits: Limits) -> Iterator[Hold]:
    newest = revisions.newest
    commit = newest.desired.commit[:12]
    if not newest.descends and not limits.allow_rewrite:
        why = (
            f"commit {commit} does not descend from the one last applied: history was rewritten; "
            "restore the branch, or set allow_rewrite in the host file"
        )
        yield Hold(SUBJECT, Reason.REWRITTEN_HISTORY, why, ours=True)
    if limits.require_signature and newest.signer is None:
        why = f"commit {commit} is not signed by an allowed signer of the host file; sign it and push again"
        yield Hold(SUBJECT, Reason.UNSIGNED, why, ours=True)
    if (pricing := newest.desired.pricing) is not None:
        yield from _price_objections(newest, pricing, limits)
        if revisions.applied and (old := revisions.applied.desired.pricing) is not None:
            yield from _jumps(pricing, old, limits)


def _price_objections(newest: Revision, pricing: Pricing, limits: Limits) -> Iterator[Hold]:
    for name in PRICES:
        price: Decimal = getattr(pricing, name)
        low, high = limits.price_min.get(name), limits.price_max.get(name)
        if low is not None and price < low:
            why = f"{name} is {show_rate(price)}, the host file allows no less than {show_rate(low)}"
            yield Hold("pricing.yaml", Reason.PRICE_OUT_OF_BOUNDS, why, ours=True)
        if high is not None and price > high:
            why = f"{name} is {show_rate(price)}, the host file allows no more than {show_rate(high)}"
            yield Hold("pricing.yaml", Reason.PRICE_OUT_OF_BOUNDS, why, ours=True)


def _jumps(new: Pricing, old: Pricing, limits: Limits) -> Iterator[Hold]:
    bound = limits.price_change_percent
    if bound is None:
        return
    for name in PRICES:
        before: Decimal = getattr(old, name)
        after: Decimal = getattr(new, name)
        if before > 0 and abs(after - before) * 100 > before * bound:
            why = (
                f"{name} goes from {show_rate(before)} to {show_rate(after)}, "
                f"more than the {bound} % that the host file allows at once"
            )
            yield Hold("pricing.yaml", Reason.PRICE_JUMP, why, ours=True)
