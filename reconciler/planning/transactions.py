"""Batches messages: one transaction per cycle, and none while one is unconfirmed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.planning.fee_ceilings import fees_max
from reconciler.planning.money.fees import Fees
from reconciler.planning.planning_input import MarketBasis
from reconciler.values.desired import Desired
from reconciler.values.escrow import blocks_left
from reconciler.values.ids import DeploymentId
from reconciler.values.intents import FeeTerms, Intent
from reconciler.values.memory import Memory
from reconciler.values.messages import (
    CloseBid,
    CreateBid,
    Message,
    PayOut,
    RecordUsage,
    WithdrawLease,
    may_be_gated,
    subject_of,
    tenant_of,
    touched_escrow,
)
from reconciler.values.money import fee_of
from reconciler.values.observed import Market, State
from reconciler.values.plans import Hold, Reason, Rebroadcast, SendTransaction
from reconciler.values.subjects import PROVIDER, SPENDING, Subject

MARKET_BATCH = "market"
SINGLE_BATCH = "single"
WITHDRAWAL_BATCH = "withdrawals"
PAYOUT_BATCH = "payouts"
OTHERS_FIRST = (
    "it is sent in a later cycle: withdrawals, payouts, and messages about a tenant whose message made a "
    "transaction fail within a day, share no transaction with others"
)
SHARED_MAX = 25
"""Messages that share a transaction and that their tenants can make invalid in front of it, which costs the
fee of all. One more saves the gas that a transaction pays once; with 25, that equals the expected loss where
one in a thousand becomes invalid.
"""
SHARES_NO_MORE = (
    "it is sent in a later cycle: its tenant could make it invalid, at the cost of the fee of all that share "
    "its transaction"
)
GAS_LEASE_ENDS = 147_000
"""What the end of each lease adds to the gas of the message that finds the account empty (semantics 1.6)."""

ENDING_BLOCKS = 5
"""Blocks of remaining funds from which on they may run out before the message is in a block."""

OVERDUE_BLOCKS = 2
"""Blocks after signing in which a transaction is included, or it is broadcast again (semantics 1.2)."""


@dataclass(frozen=True, slots=True)
class TransactionPlan:
    """The cycle's transaction, if any, the held messages, and the kind that was sent last."""

    actions: tuple[SendTransaction | Rebroadcast, ...]
    holds: tuple[Hold, ...]
    batch: str


def plan_transactions(basis: MarketBasis, messages: tuple[Message, ...]) -> TransactionPlan:
    """Form one transaction; withdrawals and payouts share none with other messages, nor do those about a
    tenant whose act made one fail, and the kinds take turns.
    """
    last = basis.memory.last_batch
    if basis.intents:
        is_stopped = basis.limits.stop_spending or basis.limits.observe_only
        overdue = (i for i in basis.intents if not is_stopped and _overdue(i, basis.market))
        again = tuple(Rebroadcast(i.hash) for i in overdue)
        why = f"waits for transaction {basis.intents[0].hash[:12]} to be confirmed"
        return TransactionPlan(again, _hold_all(messages, Reason.AWAITING_CONFIRMATION, why), last)
    if not messages:
        return TransactionPlan((), (), last)
    if stop := spending_hold(basis):
        return TransactionPlan((), _hold_all(messages, stop.reason, stop.message), last)
    kinds = [_batch(m, basis.memory) for m in messages]
    batch = _next_batch(kinds, last)
    chosen, holds = _select(
        basis, [m for m, kind in zip(messages, kinds, strict=True) if kind == batch], batch
    )
    others = (m for m, kind in zip(messages, kinds, strict=True) if kind != batch)
    waiting = _hold_all(others, Reason.AWAITING_CONFIRMATION, OTHERS_FIRST)
    sending = SendTransaction(chosen, _terms(basis, chosen))
    return TransactionPlan((sending,), (*holds, *waiting), batch)


def _terms(basis: MarketBasis, messages: tuple[Message, ...]) -> FeeTerms:
    fees = Fees.under(basis.market.rules, basis.limits, basis.memory)
    spare = sum(_gas_of_ending(basis, message) for message in messages)
    fee = fees.of(messages) + fee_of(spare, basis.market.rules.gas_price)
    return FeeTerms(fee, fees_max(basis, messages), fees.factor(map(type, messages)), spare)


def _gas_of_ending(basis: MarketBasis, message: Message) -> int:
    """What a message uses in the block but not in its simulation, if the funds of its deployment run out in
    between: it closes all leases of the deployment.
    """
    deployment = touched_escrow(message)
    account = basis.market.accounts.get(deployment) if deployment else None
    if account is None:
        return 0
    left = blocks_left(account, basis.market.height)
    if left is None or not 0 <= left < ENDING_BLOCKS:
        return 0
    return GAS_LEASE_ENDS * sum(payment.state is State.OPEN for payment in account.payments)


def _overdue(intent: Intent, market: Market) -> bool:
    """Whether it should be in a block by now: perhaps its bytes were never received, or only by a node that
    showed a false height.
    """
    return not intent.signed_at_height <= market.height < intent.signed_at_height + OVERDUE_BLOCKS


def _batch(message: Message, memory: Memory) -> str:
    if tenant_of(message) in memory.invalidators:
        return SINGLE_BATCH
    if isinstance(message, PayOut):
        return PAYOUT_BATCH
    return WITHDRAWAL_BATCH if may_be_gated(message) else MARKET_BATCH


def _next_batch(kinds: Iterable[str], last: str) -> str:
    """The kind after the last one, in turn; a payout only if nothing else is to be sent."""
    found = sorted(set(kinds))
    found = [kind for kind in found if kind != PAYOUT_BATCH] or found
    return next((kind for kind in found if kind > last), found[0])


def _select(
    basis: MarketBasis, messages: list[Message], batch: str
) -> tuple[tuple[Message, ...], tuple[Hold, ...]]:
    """As many messages as a transaction may carry, touching each deployment's escrow once (semantics 4.4)."""
    shared_max = 1 if batch == SINGLE_BATCH else basis.memory.shared_max or SHARED_MAX
    chosen: list[Message] = []
    holds: list[Hold] = []
    touched: set[DeploymentId] = set()
    shared = 0
    for message in messages:
        account = touched_escrow(message)
        if len(chosen) >= basis.limits.messages_per_transaction:
            why = "the transaction is full (host file: messages_per_transaction); sent in a later cycle"
            holds.append(Hold(hold_subject(message), Reason.CEILING, why))
        elif shared >= shared_max and may_become_invalid(basis, message):
            holds.append(Hold(hold_subject(message), Reason.AWAITING_CONFIRMATION, SHARES_NO_MORE))
        elif account is not None and account in touched:
            why = "another message settles its deployment's escrow; two in one block break its payments"
            holds.append(Hold(hold_subject(message), Reason.AWAITING_HEIGHT, why))
        else:
            chosen.append(message)
            shared += may_become_invalid(basis, message)
            if account is not None:
                touched.add(account)
    return tuple(chosen), tuple(holds)


def may_become_invalid(basis: MarketBasis, message: Message) -> bool:
    """Whether its tenant can make it fail before it is in a block, and with it the whole transaction; nobody
    can for a bid that cannot win, or a payout.
    """
    if isinstance(message, PayOut):
        return False
    if isinstance(message, CloseBid) and not message.lease:
        bid = basis.market.bids.get(message.id)
        return bid is not None and bid.may_win
    return True


def hold_subject(message: Message) -> Subject:
    """The subject of a hold on this message: the order of a bid, else the workload."""
    match message:
        case CreateBid(id=bid):
            return Subject.of_order(bid.order)
        case WithdrawLease(id=lease) | RecordUsage(lease=lease) | CloseBid(id=lease, lease=True):
            return Subject.of_workload(lease)
        case _:
            return subject_of(message)


def _hold_all(messages: Iterable[Message], reason: Reason, why: str) -> tuple[Hold, ...]:
    return tuple(Hold(each, reason, why) for each in dict.fromkeys(map(hold_subject, messages)))


def suspension(desired: Desired) -> tuple[Hold, ...]:
    """A hold while all spending is suspended, even if no message is pending."""
    if not (desired.config and desired.config.suspended):
        return ()
    why = f"config.yaml says suspended: {desired.config.suspended}; remove the line to resume"
    return (Hold(SPENDING, Reason.SUSPENDED, why, ours=True),)


def spending_hold(basis: MarketBasis) -> Hold | None:
    """Why no transaction may be sent now."""
    limits, market = basis.limits, basis.market
    if limits.stop_spending:
        return Hold(
            PROVIDER,
            Reason.SPENDING_STOPPED,
            "stop-spending is in force; `provider-daemon stop-spending --off` ends it",
        )
    if suspended := suspension(basis.desired):
        return suspended[0]
    if limits.observe_only:
        return Hold(PROVIDER, Reason.OBSERVE_ONLY, "the daemon runs with --observe-only and signs nothing")
    if market.height < basis.memory.hold_until_height:
        why = (
            "the journal is new or does not match the account's sequence: nothing is spent before height "
            f"{basis.memory.hold_until_height}, when every earlier transaction has landed or expired"
        )
        return Hold(PROVIDER, Reason.JOURNAL_NEW, why)
    skew = abs(basis.now - market.time)
    if skew > limits.clock_skew_seconds:
        why = (
            f"the host's clock and the chain's time differ by {skew} seconds; "
            f"the host file allows {limits.clock_skew_seconds}; set the clock"
        )
        return Hold(PROVIDER, Reason.CLOCK_SKEW, why)
    return None
