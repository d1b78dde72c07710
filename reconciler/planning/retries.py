"""Back-off: failed effects, and when to retry them."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.values.ids import LeaseId, WorkloadId
from reconciler.values.memory import Memory, Retry, WorkloadMemory
from reconciler.values.messages import CloseBid, CreateBid, Message, RecordUsage, SettleUsage, WithdrawLease
from reconciler.values.observed import Market
from reconciler.values.outcomes import NOT_WORTH
from reconciler.values.plans import Action, ApplyWorkload, Hold, NotifyTenant, Reason, effect_key
from reconciler.values.refusals import Refusal
from reconciler.values.subjects import EffectKey, Subject
from reconciler.values.times import is_over

FIRST_SECONDS = 15
LONGEST_SECONDS = 3_600


def retry_hold(
    memory: Memory, effect: Action | Message | EffectKey, subject: Subject, now: int
) -> Hold | None:
    """The hold on a failed effect whose back-off has not elapsed; None if it may be tried."""
    retry = memory.retries.get(effect if isinstance(effect, EffectKey) else effect_key(effect))
    if retry is None:
        return None
    advice = f"; {retry.advice}" if retry.advice else ""
    if retry.retry_at is None:
        return Hold(subject, Reason.REFUSED_BEFORE, f"{retry.why}{advice}")
    if not is_over(retry.retry_at - LONGEST_SECONDS, LONGEST_SECONDS, now):
        reason = Reason.NOT_WORTH_ITS_FEE if retry.reason == NOT_WORTH else Reason.TRY_LATER
        return Hold(subject, reason, f"failed {retry.times}, last: {retry.why}{advice}")
    return None


def withdrawal_is_gated(memory: Memory, lease: LeaseId) -> bool:
    """Whether a gate refused the lease's last withdrawal."""
    retry = memory.retries.get(EffectKey(WithdrawLease.__name__, Subject.of_lease(lease)))
    return retry is not None and Refusal(retry.why).gated


def with_failure(
    retries: Mapping[EffectKey, Retry], key: EffectKey, now: int, failure: Retry
) -> dict[EffectKey, Retry]:
    """The retries after one more failure; computes `retry_at` unless the failure is permanent."""
    before = retries.get(key)
    failures = before.failures + 1 if before else 1
    wait = min(FIRST_SECONDS * 2 ** min(failures - 1, 16), LONGEST_SECONDS)
    retry_at = None if failure.retry_at is None else now + wait
    return {**retries, key: Retry(failures, retry_at, failure.reason, failure.why, failure.advice)}


def prune(memory: Memory, market: Market) -> Mapping[EffectKey, Retry]:
    """The retries without those of bids and leases that ended, whose results may still arrive; the same
    mapping if there are none.
    """
    retries = memory.retries
    kept = {k: r for k, r in retries.items() if _is_current(k, memory, market)}
    return retries if len(kept) == len(retries) else kept


def _is_current(key: EffectKey, memory: Memory, market: Market) -> bool:
    order, lease = key.subject.order, key.subject.lease
    match key.kind:
        case CreateBid.__name__:
            return order in market.orders
        case CloseBid.__name__ | WithdrawLease.__name__ | RecordUsage.__name__:
            return lease in market.leases or lease in market.bids
        case SettleUsage.__name__:
            return order is not None and LeaseId(order, market.wallet.address) in market.leases
        case ApplyWorkload.__name__ | NotifyTenant.__name__:
            workload = memory.workloads.get(WorkloadId(key.subject.name))
            return workload is None or _is_leased(workload, market)
        case _:
            return True


def _is_leased(workload: WorkloadMemory, market: Market) -> bool:
    """Whether its lease is active, or ended on one node only."""
    lease = market.leases.get(workload.lease)
    return lease is not None and market.may_be_active(lease)


def without_failure(retries: Mapping[EffectKey, Retry], key: EffectKey) -> Mapping[EffectKey, Retry]:
    """The retries after a success."""
    return {k: v for k, v in retries.items() if k != key} if key in retries else retries
