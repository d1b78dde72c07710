"""Batches messages: one transaction per cycle, and none while one is unconfirmed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.planning.money.fees import Fees
from reconciler.planning.planning_input import MarketBasis
from reconciler.values.desired import Desired
from reconciler.values.ids import DeploymentId
from reconciler.values.intents import Intent
from reconciler.values.messages import (
    CloseBid,
    CreateBid,
    Message,
    RecordUsage,
    WithdrawLease,
    may_be_gated,
    subject_of,
    touched_escrow,
)
from reconciler.values.observed import Market
from reconciler.values.plans import Hold, Reason, Rebroadcast, SendTransaction
from reconciler.values.subjects import PROVIDER, SPENDING, Subject

MARKET_BATCH = "market"
WITHDRAWAL_BATCH = "withdrawals"
OTHERS_FIRST = "it is sent in a later cycle: withdrawals share no transaction with other messages"
OVERDUE_BLOCKS = 2
"""Blocks after signing in which a transaction is included, or it is broadcast again (semantics 1.2)."""


@dataclass(frozen=True, slots=True)
class TransactionPlan:
    """The cycle's transaction, if any, the held messages, and the kind that was sent last."""

    actions: tuple[SendTransaction | Rebroadcast, ...]
    holds: tuple[Hold, ...]
    batch: str


def plan_transactions(basis: MarketBasis, messages: tuple[Message, ...]) -> TransactionPlan:
    """Form one transaction; withdrawals share none with other messages, and the
    two kinds alternate."""
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
    batch = _next_batch(messages, last)
    chosen, holds = _select(basis, [m for m in messages if _batch(m) == batch])
    waiting = _hold_all(
        (m for m in messages if _batch(m) != batch), Reason.AWAITING_CONFIRMATION, OTHERS_FIRST
    )
    fee_max = Fees.under(basis.market.rules, basis.limits).ceiling(chosen)
    return TransactionPlan((SendTransaction(chosen, fee_max),), (*holds, *waiting), batch)


def _overdue(intent: Intent, market: Market) -> bool:
    """Whether it should be in a block by now: perhaps its bytes were never received, or only by a node that
    showed a false height.
    """
    return not intent.signed_at_height <= market.height < intent.signed_at_height + OVERDUE_BLOCKS


def _batch(message: Message) -> str:
    return WITHDRAWAL_BATCH if may_be_gated(message) else MARKET_BATCH


def _next_batch(messages: tuple[Message, ...], last: str) -> str:
    batches = {_batch(m) for m in messages}
    others = batches - {last}
    return min(others) if others else last


def _select(basis: MarketBasis, messages: list[Message]) -> tuple[tuple[Message, ...], tuple[Hold, ...]]:
    """As many messages as a transaction may carry, touching each deployment's escrow once (semantics 4.4)."""
    chosen: list[Message] = []
    holds: list[Hold] = []
    touched: set[DeploymentId] = set()
    for message in messages:
        account = touched_escrow(message)
        if len(chosen) >= basis.limits.messages_per_transaction:
            why = "the transaction is full (host file: messages_per_transaction); sent in a later cycle"
            holds.append(Hold(hold_subject(message), Reason.CEILING, why))
        elif account is not None and account in touched:
            why = "another message settles its deployment's escrow; two in one block break its payments"
            holds.append(Hold(hold_subject(message), Reason.AWAITING_HEIGHT, why))
        else:
            chosen.append(message)
            if account is not None:
                touched.add(account)
    return tuple(chosen), tuple(holds)


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
