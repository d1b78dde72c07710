"""Updates the memory: what ended since the last plan, and what is observed now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal, localcontext

from reconciler.planning.money.day_totals import with_totals
from reconciler.planning.money.gas import SHORT_SECONDS, with_measured, with_shortage
from reconciler.planning.money.ledger import update_ledger
from reconciler.planning.money.payouts import with_payout
from reconciler.planning.planning_input import MarketBasis, PlanningBasis, PlanningInput
from reconciler.planning.retries import prune, with_failure, without_failure
from reconciler.planning.revisions.approvals import with_approvals
from reconciler.planning.transactions import SHARED_MAX
from reconciler.values.ids import LeaseId
from reconciler.values.intents import Confirmation, IntentOutcome
from reconciler.values.machines import Promise
from reconciler.values.measured_use import added
from reconciler.values.memory import Memory, Payout, Retry, UsageMemory, WalletLedger
from reconciler.values.messages import (
    CloseBid,
    CreateBid,
    Message,
    PayOut,
    RecordUsage,
    WithdrawLease,
    tenant_of,
)
from reconciler.values.money import EXACT
from reconciler.values.observed import Market
from reconciler.values.outcomes import Done, Failed, Refused
from reconciler.values.plans import ApplyWorkload, NotifyTenant, effect_key
from reconciler.values.records import EffectResult
from reconciler.values.refusals import Refusal, read_refusal
from reconciler.values.subjects import EffectKey, Subject
from reconciler.values.times import HOUR_SECONDS, is_over

BID_CLOSED = "our bid on it was closed; the chain accepts one bid per provider and order (semantics 3.2)"

INVALIDATOR_SECONDS = 86_400
"""How long messages about a tenant whose message made a transaction fail are sent alone."""


def recall(inputs: PlanningInput) -> Memory:
    """The memory with what ended since the last plan: transactions and other effects; and new approvals."""
    market = inputs.seen_market
    sequence = market.wallet.sequence if market is not None else None
    confirmed = confirm_all(inputs.memory, inputs.confirmations, inputs.now, sequence)
    counted = count_results(confirmed, inputs.results, inputs.now)
    return replace(counted, approvals=with_approvals(counted, inputs.approvals))


def update_memory(basis: PlanningBasis) -> Memory:
    """The memory under the revision in force and, while the chain is seen, at its height."""
    memory, desired = basis.memory, basis.desired
    if desired.commit and desired.commit != memory.applied:
        retries = {k: r for k, r in memory.retries.items() if k.kind != ApplyWorkload.__name__}
        applied = replace(memory, applied=desired.commit, valid_blobs=desired.valid_blobs, retries=retries)
    else:
        applied = memory
    return _at_height(replace(basis, memory=applied)) if isinstance(basis, MarketBasis) else applied


def _at_height(basis: MarketBasis) -> Memory:
    memory = update_ledger(basis)
    underfunded = {Subject.of_workload(lease) for lease in basis.funding.underfunded()}
    notified = frozenset(k for k in memory.notified if k.subject in underfunded)
    withdrawn_at = basis.decisions.reuse(
        "withdrawals of known leases",
        (memory.withdrawn_at, basis.market.leases),
        lambda: _of_known_leases(memory.withdrawn_at, basis.market),
    )
    recent = basis.market.time - INVALIDATOR_SECONDS
    invalidators = {k: t for k, t in memory.invalidators.items() if t > recent}
    return replace(
        memory,
        notified=memory.notified if notified == memory.notified else notified,
        withdrawn_at=withdrawn_at,
        invalidators=memory.invalidators if invalidators == memory.invalidators else invalidators,
        retries=prune(memory, basis.market),
    )


def _of_known_leases(withdrawn_at: Mapping[LeaseId, int], market: Market) -> Mapping[LeaseId, int]:
    """The withdrawals of leases that the market has; the same object if it has all of them."""
    known = {k: t for k, t in withdrawn_at.items() if k in market.leases}
    return withdrawn_at if len(known) == len(withdrawn_at) else known


def confirm_all(
    memory: Memory, confirmations: Iterable[Confirmation], now: int, sequence: int | None
) -> Memory:
    """The memory after transactions landed, were refused in a block, or expired.

    `sequence` is the account's next one on the chain. A transaction that the node reports as expired is
    unspent only while its sequence is unused; otherwise it counts as spent, as the node may hide where it
    landed.
    """
    for confirmation in confirmations:
        if confirmation.outcome is not IntentOutcome.EXPIRED:
            memory = _confirm(memory, confirmation, now)
        elif not _is_superseded(confirmation) and (
            sequence is None or sequence > confirmation.intent.sequence
        ):
            memory = replace(memory, ledger=_spent(memory.ledger or WalletLedger(), confirmation))
            memory = _with_payouts(memory, confirmation)
    return memory


def _is_superseded(end: Confirmation) -> bool:
    """Whether a transaction in a block is known to have used its sequence, so that it cannot be executed."""
    return (end.codespace, end.code) == ("sdk", 32)


def _confirm(memory: Memory, confirmation: Confirmation, now: int) -> Memory:
    intent = confirmation.intent
    memory = replace(
        memory, sequence=intent.sequence + 1, ledger=_with_fee(memory.ledger or WalletLedger(), confirmation)
    )
    shared_max = memory.shared_max or SHARED_MAX
    if confirmation.outcome is IntentOutcome.LANDED:
        for message in intent.messages:
            memory = _with_landed(memory, message, confirmation.time)
        memory = _with_payouts(memory, confirmation)
        return replace(with_measured(memory, confirmation), shared_max=min(shared_max + 1, SHARED_MAX))
    refusal = read_refusal(confirmation.log)
    if (shortage := refusal.gas_shortage) is not None:
        memory = with_shortage(memory, {type(m).__name__ for m in intent.messages}, shortage, now)
    else:
        memory = replace(memory, shared_max=max(shared_max // 2, 1))
        is_ours = refusal.gated or refusal.short_of_money
        failed = _failed_message(intent.messages, refusal)
        if not is_ours and failed is not None and (tenant := tenant_of(failed)):
            memory = replace(memory, invalidators={**memory.invalidators, tenant: confirmation.time})
    return replace(memory, retries=_with_failed(memory.retries, intent.messages, refusal, now))


def _with_payouts(memory: Memory, confirmation: Confirmation) -> Memory:
    for message in confirmation.intent.messages:
        if isinstance(message, PayOut):
            payout = Payout(confirmation.intent.hash, confirmation.time, message.amount)
            memory = with_payout(memory, payout)
    return memory


def _with_failed(
    retries: Mapping[EffectKey, Retry], messages: tuple[Message, ...], refusal: Refusal, now: int
) -> Mapping[EffectKey, Retry]:
    """The retries with the message that failed in the block; with all of them if the refusal names none."""
    failed, outcome = _failed_message(messages, refusal), refusal.outcome
    for message in messages if failed is None else (failed,):
        retry_at = now if isinstance(outcome, Failed) else None
        retry = Retry(1, retry_at, outcome.reason, outcome.why, outcome.advice)
        retries = with_failure(retries, effect_key(message), now, retry)
    return retries


def _failed_message(messages: tuple[Message, ...], refusal: Refusal) -> Message | None:
    """The message that the refusal names."""
    return messages[refusal.index] if 0 <= refusal.index < len(messages) else None


def _with_fee(ledger: WalletLedger, confirmation: Confirmation) -> WalletLedger:
    """A transaction in a block costs its fee, whatever its code (semantics 1.2)."""
    return replace(_spent(ledger, confirmation), fees=ledger.fees + confirmation.intent.fee)


def _spent(ledger: WalletLedger, confirmation: Confirmation) -> WalletLedger:
    """Spending counted against `spend_per_hour`, the fee, and deposits unless the bids failed; the fee also
    against `fees_per_day`.
    """
    spent = confirmation.intent.fee
    if confirmation.outcome is not IntentOutcome.REFUSED:
        spent += sum(m.deposit for m in confirmation.intent.messages if isinstance(m, CreateBid))
    recent = tuple(s for s in ledger.spent if s[0] > confirmation.time - HOUR_SECONDS)
    counted = with_totals(ledger, confirmation.time, fees=confirmation.intent.fee)
    return replace(counted, spent=(*recent, (confirmation.time, spent)))


def _with_landed(memory: Memory, message: Message, time: int) -> Memory:
    memory = replace(memory, retries=without_failure(memory.retries, effect_key(message)))
    match message:
        case WithdrawLease(id=lease):
            return replace(memory, withdrawn_at={**memory.withdrawn_at, lease: time})
        case CreateBid(id=bid, promise=Promise() as promise):
            return replace(memory, promises={**memory.promises, bid.order: promise})
        case CloseBid(id=bid, lease=False):
            spent = Retry(1, None, "ChainRefused", BID_CLOSED)
            key = EffectKey(CreateBid.__name__, Subject.of_lease(bid))
            return replace(memory, retries={**memory.retries, key: spent})
        case CloseBid(lease=True):
            recent = tuple(t for t in memory.closings if t > time - HOUR_SECONDS)
            return replace(memory, closings=(*recent, time))
        case RecordUsage(lease=lease):
            return replace(memory, usage={**memory.usage, lease: _usage_after(memory, message)})
        case _:
            return memory


def _usage_after(memory: Memory, record: RecordUsage) -> UsageMemory:
    """Usage after the record was planned remains for the next record."""
    before = memory.usage.get(record.lease, UsageMemory())
    with localcontext(EXACT):
        metered = max(before.metered - record.metered, Decimal(0))
    blocks = max(before.blocks - record.blocks, 0)
    return replace(
        before,
        billed_until=record.period_end,
        metered=metered,
        blocks=blocks,
        measured=added(before.measured, record.measured, -1),
        recorded=record.measured,
    )


def count_results(memory: Memory, results: Iterable[EffectResult], now: int) -> Memory:
    """Count failures of effects, to back off or to stop retrying."""
    results = tuple(results)
    if memory.gas_short and is_over(memory.gas_short_at, SHORT_SECONDS, now):
        memory = replace(memory, gas_short={})
    shortages: dict[str, Decimal] = {}
    for each in results:
        if isinstance(each.outcome, Failed) and (shortage := read_refusal(each.outcome.why).gas_shortage):
            shortages[each.key.kind] = max(shortage, shortages.get(each.key.kind, shortage))
    for kind, shortage in shortages.items():  # the messages of one transaction report the same refusal
        memory = with_shortage(memory, [kind], shortage, now)
    retries, notified = memory.retries, memory.notified
    for each in results:
        match each.outcome:
            case Done():
                retries = without_failure(retries, each.key)
                notified |= {each.key} if each.key.kind == NotifyTenant.__name__ else set()
            case Refused(reason=reason, why=why, advice=advice):
                retries = with_failure(retries, each.key, now, Retry(1, None, reason, why, advice))
            case Failed(reason=reason, why=why, advice=advice):
                retries = with_failure(retries, each.key, now, Retry(1, now, reason, why, advice))
            case _:
                pass
    if retries is memory.retries and notified == memory.notified:
        return memory
    return replace(memory, retries=retries, notified=notified)
