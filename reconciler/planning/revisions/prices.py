"""The prices of a revision as they are in force: with the discounts that the host file allows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from reconciler.values.desired import Desired, Pricing, Revision, Revisions
from reconciler.values.limits import Limits


def with_limits(revisions: Revisions, limits: Limits) -> Revisions:
    """The revisions with prices as they are in force."""
    newest, applied = (
        _with_limits(each, limits) if each else None for each in (revisions.newest, revisions.applied)
    )
    assert newest is not None, "there is always a newest revision"
    if newest is revisions.newest and applied is revisions.applied:
        return revisions
    return replace(revisions, newest=newest, applied=applied)


def pricing_in_force(pricing: Pricing, limits: Limits) -> Pricing:
    """The prices with the host file's limit of discounts; the same object if none is asked for."""
    return _limited(pricing, limits.factor_min) if pricing.multipliers else pricing


def _with_limits(revision: Revision, limits: Limits) -> Revision:
    desired: Desired = revision.desired
    if desired.pricing is None or not desired.pricing.multipliers:
        return revision
    return replace(revision, desired=replace(desired, pricing=pricing_in_force(desired.pricing, limits)))


@lru_cache(maxsize=8)
def _limited(pricing: Pricing, factor_min: Decimal) -> Pricing:
    return replace(pricing, factor_min=factor_min)
