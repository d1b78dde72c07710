"""The chain messages that a provider sends, as values; one transaction carries many."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from reconciler.values.desired import CloseReason
from reconciler.values.ids import BidId, DeploymentId, LeaseId, OrderId
from reconciler.values.machines import Promise
from reconciler.values.measured_use import MeasuredUse
from reconciler.values.resources import ResourceUnit
from reconciler.values.subjects import PROVIDER, Subject

USAGE_TYPE = "fixed"
"""The one usage type we record: one unit whose price is the amount (semantics 5.3)."""


@dataclass(frozen=True, slots=True)
class CreateBid:
    """Offer `price` uve a block for an order, locking `deposit` uve (semantics 3.2). `promise` is where its
    workload is to run; no part of the message on the chain.
    """

    id: BidId
    price: Decimal
    deposit: int
    units: tuple[ResourceUnit, ...]
    promise: Promise | None = None


@dataclass(frozen=True, slots=True)
class CloseBid:
    """Close a bid, and with it its lease (semantics 3.4); `lease`: it has a lease, so closing settles the
    deployment's escrow. `why` is for people, no part of the message on the chain.
    """

    id: BidId
    reason: CloseReason
    lease: bool = False
    why: str = ""

    @property
    def cause(self) -> str:
        """Its reason, and why."""
        return f"{self.reason}: {self.why}" if self.why else f"{self.reason}"


@dataclass(frozen=True, slots=True)
class WithdrawLease:
    """Withdraw a lease's earnings (semantics 3.6); `expected` is the expected net amount in uve."""

    id: LeaseId
    expected: int = 0


@dataclass(frozen=True, slots=True)
class RecordUsage:
    """Record `amount` uve of usage of a lease for a period of unix seconds (semantics 5.3).

    `metered` is the exact price in uve of what ran in it, in `blocks` blocks; `measured` is what its services
    used, if that is metered.
    """

    lease: LeaseId
    amount: int
    period_start: int
    period_end: int
    metered: Decimal = Decimal(0)
    blocks: int = 0
    measured: tuple[MeasuredUse, ...] = ()


@dataclass(frozen=True, slots=True)
class SettleUsage:
    """Settle these usage records, by their ids and never final (semantics 5.5)."""

    order: OrderId
    records: tuple[str, ...]
    amount: int


@dataclass(frozen=True, slots=True)
class PayOut:
    """Send `amount` uve to the host file's payout address."""

    recipient: str
    amount: int


Message = CreateBid | CloseBid | WithdrawLease | RecordUsage | SettleUsage | PayOut


def subject_of(message: Message) -> Subject:
    """The bid, lease, order or provider that the message is about."""
    match message:
        case CreateBid(id=bid) | CloseBid(id=bid):
            return Subject.of_lease(bid)
        case WithdrawLease(id=lease) | RecordUsage(lease=lease):
            return Subject.of_lease(lease)
        case SettleUsage(order=order):
            return Subject.of_order(order)
        case PayOut():
            return PROVIDER


def tenant_of(message: Message) -> str:
    """The address of the tenant whose order or lease the message is about, "" if it is about none."""
    lease = lease_of(message, "")
    return lease.order.owner if lease else ""


def lease_of(message: Message, provider: str) -> LeaseId | None:
    """The provider's bid or lease that the message is about, if any."""
    match message:
        case CreateBid(id=lease) | CloseBid(id=lease) | WithdrawLease(id=lease) | RecordUsage(lease=lease):
            return lease
        case SettleUsage(order=order):
            return LeaseId(order, provider)
        case PayOut():
            return None


def touched_escrow(message: Message) -> DeploymentId | None:
    """The deployment whose escrow account the message settles; two such in a block break its payments
    (semantics 4.4).
    """
    match message:
        case WithdrawLease(id=lease):
            return lease.deployment
        case CloseBid(id=bid, lease=True):
            return bid.deployment
        case _:
            return None


def may_be_gated(message: Message) -> bool:
    """The identity and multi-factor gates may refuse it whole (semantics 1.5), so it never shares a
    transaction with others.
    """
    return isinstance(message, WithdrawLease | PayOut)


def describe(message: Message) -> str:
    """A description of the message for operators."""
    match message:
        case CreateBid(id=bid, price=price):
            return f"bid {price.normalize():f}uve a block on order {bid.order}"
        case CloseBid(id=bid, lease=True, cause=cause):
            return f"close lease {bid} ({cause})"
        case CloseBid(id=bid, why=why):
            return f"close our bid on order {bid.order}" + (f" ({why})" if why else "")
        case WithdrawLease(id=lease, expected=expected):
            return f"withdraw about {expected}uve from lease {lease}"
        case RecordUsage(lease=lease, amount=amount, measured=measured):
            used = f": {'; '.join(map(str, measured))}" if measured else ""
            return f"record usage of {amount}uve for lease {lease}{used}"
        case SettleUsage(order=order, amount=amount):
            return f"settle usage of {amount}uve for order {order}"
        case PayOut(recipient=recipient, amount=amount):
            return f"pay out {amount}uve to {recipient}"
