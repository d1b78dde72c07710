"""The most that the fee of each message may be: what the message brings."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.planning.bidding.bid_budget import BidBudget
from reconciler.planning.money.fees import Fees
from reconciler.planning.money.payouts import FEE_PERCENT_MAX
from reconciler.planning.money.settlement_escrow import net_of_settlement
from reconciler.planning.planning_input import MarketBasis
from reconciler.values.desired import Bidding
from reconciler.values.escrow import due_gross
from reconciler.values.ids import LeaseId
from reconciler.values.messages import (
    CloseBid,
    CreateBid,
    Message,
    PayOut,
    RecordUsage,
    SettleUsage,
    WithdrawLease,
)
from reconciler.values.money import after_take, floor_uve
from reconciler.values.pricing import price
from reconciler.values.resources import USAGE_BILLED


def fees_max(basis: MarketBasis, messages: tuple[Message, ...]) -> tuple[int, ...]:
    """The most that each message may cost, in uve.

    Messages that stop a loss may also use the reserve, which is kept for them, and the refunded deposit. Bids
    share what is left of their budget.
    """
    bids = sum(isinstance(m, CreateBid) for m in messages)
    budget = BidBudget.of(basis).fees_of(bids) // bids if bids else 0
    return tuple(_fee_max(basis, message, budget) for message in messages)


def exceeds_budget(basis: MarketBasis, message: Message) -> bool:
    """Whether it may exceed the fee budget of a day: it stops a loss, returns a deposit, or bills usage that
    an escrow may not pay later; each costs at most what it brings.
    """
    return isinstance(message, CloseBid | RecordUsage | SettleUsage) or stops_a_loss(basis, message)


def stops_a_loss(basis: MarketBasis, message: Message) -> bool:
    """Whether it ends an unpaid lease, or one that the repository closes."""
    match message:
        case CloseBid(lease=True):
            return True
        case WithdrawLease(id=lease):
            left = basis.funding.account_left(lease).blocks_left
            return left is not None and left < 0
        case _:
            return False


def _fee_max(basis: MarketBasis, message: Message, bid_budget: int) -> int:
    match message:
        case CreateBid():
            return max(min(_income_until_break_even(basis, message), bid_budget), 0)
        case CloseBid(id=bid, lease=False):
            return _deposit(basis, bid)
        case CloseBid(id=lease):
            due = sum(_due(basis, lease))
            return basis.limits.balance_reserve + _deposit(basis, lease) + due
        case WithdrawLease(id=lease, expected=expected):
            if not stops_a_loss(basis, message):
                return expected
            return expected + basis.limits.balance_reserve + _deposit(basis, lease)
        case RecordUsage(amount=amount):
            return max(net_of_settlement(amount, basis.market.rules) - _fees(basis).settle, 0)
        case SettleUsage(amount=amount):
            return net_of_settlement(amount, basis.market.rules)
        case PayOut(amount=amount):
            return amount * FEE_PERCENT_MAX // 100


def _income_until_break_even(basis: MarketBasis, bid: CreateBid) -> int:
    """What a lease at our price brings within `bidding.break_even`, less its later fees."""
    desired, market = basis.desired, basis.market
    bidding = desired.config.bidding if desired.config else Bidding()
    order, rate = market.orders.get(bid.id.order), bid.price
    if order is not None and desired.pricing is not None and USAGE_BILLED in order.attributes:
        rate = price(order.demand, desired.pricing)
    blocks = floor_uve(bidding.break_even_seconds / market.block_seconds)
    income = after_take(floor_uve(rate * blocks), market.rules.take_percent)
    return income - _fees(basis).after_bid


def _deposit(basis: MarketBasis, bid: LeaseId) -> int:
    """What closing the bid refunds."""
    known = basis.market.bids.get(bid)
    return known.deposit if known else 0


def _due(basis: MarketBasis, lease: LeaseId) -> Iterator[int]:
    """What closing the lease pays out."""
    account = basis.market.accounts.get(lease.deployment)
    if account is not None:
        gross = due_gross(account, lease, basis.market.height + 1)
        yield after_take(gross, basis.market.rules.take_percent)


def _fees(basis: MarketBasis) -> Fees:
    return Fees.under(basis.market.rules, basis.limits, basis.memory)
