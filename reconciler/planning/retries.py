"""Back-off: what failed before, and when it may be tried again."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.values.ids import LeaseId, OrderId
from reconciler.values.memory import Memory, Retry
from reconciler.values.messages import CloseBid, CreateBid, RecordUsage, SettleUsage, WithdrawLease
from reconciler.values.observed import Market
from reconciler.values.plans import Hold, Reason

FIRST_SECONDS = 15
LONGEST_SECONDS = 3_600


def held_back(memory: Memory, key: str, subject: str, now: int) -> Hold | None:
    """The hold for something that failed and may not be tried yet; None when it may."""
    retry = memory.retries.get(key)
    if retry is None:
        return None
    advice = f"; {retry.advice}" if retry.advice else ""
    if retry.next_try == 0:
        return Hold(subject, Reason.REFUSED_BEFORE, f"{retry.why}{advice}")
    if now < retry.next_try:
        return Hold(subject, Reason.TRY_LATER, f"failed {retry.times}, last: {retry.why}{advice}")
    return None


def failed(retries: Mapping[str, Retry], key: str, now: int, failure: Retry) -> dict[str, Retry]:
    """The retries after one more failure; `next_try` 0 means never again, else it is reckoned here."""
    before = retries.get(key)
    failures = before.failures + 1 if before else 1
    wait = min(FIRST_SECONDS * 2 ** min(failures - 1, 16), LONGEST_SECONDS)
    next_try = 0 if failure.next_try == 0 else now + wait
    return {**retries, key: Retry(failures, next_try, failure.reason, failure.why, failure.advice)}


def prune(retries: Mapping[str, Retry], market: Market) -> Mapping[str, Retry]:
    """The retries without those of bids and leases that are no more; the same mapping where all are."""
    kept = {k: r for k, r in retries.items() if _alive(k, market)}
    return retries if len(kept) == len(retries) else kept


def _alive(key: str, market: Market) -> bool:
    kind, _, subject = key.partition(":")
    match kind:
        case CreateBid.__name__:
            return LeaseId.parse(subject).order in market.orders
        case CloseBid.__name__ | WithdrawLease.__name__ | RecordUsage.__name__:
            return (lease := LeaseId.parse(subject)) in market.leases or lease in market.bids
        case SettleUsage.__name__:
            return LeaseId(OrderId.parse(subject), market.wallet.address) in market.leases
        case _:
            return True


def worked(retries: Mapping[str, Retry], key: str) -> Mapping[str, Retry]:
    """The retries without this one."""
    return {k: v for k, v in retries.items() if k != key} if key in retries else retries
