"""Funding: how long the escrow still pays for a lease.

The end of a lease's funds is a height, which stays the same until its account changes; only the time that is
left until then changes with every block. `FundingSchedule` keeps the leases in the order of these heights.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from reconciler.values.escrow import due_gross, end_height
from reconciler.values.ids import LeaseId
from reconciler.values.money import after_take, floor_uve
from reconciler.values.observed import EscrowAccount, State


class Funding(StrEnum):
    """The state of a lease's escrow, by the thresholds of `config.yaml`; unfunded: it is billed by usage, and
    no settlement escrow pays yet.
    """

    HEALTHY = "healthy"
    LOW = "low"
    CRITICAL = "critical"
    UNFUNDED = "unfunded"
    EXHAUSTED = "exhausted"


class FundingSource(StrEnum):
    """The funds that end first: those of the deployment's account, or of the settlement escrow that pays for
    usage.
    """

    ACCOUNT = "account"
    SETTLEMENT = "settlement"


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """How long the funds of a lease last: in blocks and in seconds of measured chain time, negative once they
    ran out; None if no payment is open (semantics 4.6). With usage, it is the time until serving stops.
    `accrued_uve` is earned by the lease and not withdrawn.
    """

    state: Funding
    blocks_left: int | None = None
    seconds_left: int | None = None
    accrued_uve: int = 0
    source: FundingSource = FundingSource.ACCOUNT

    @property
    def is_unpaid(self) -> bool:
        """Whether a workload is not served any more, as nothing pays for its usage."""
        return self.state is Funding.EXHAUSTED and self.source is FundingSource.SETTLEMENT

    @property
    def is_critical(self) -> bool:
        """Whether they last less than `escrow.critical`, or ran out."""
        return self.state in (Funding.CRITICAL, Funding.EXHAUSTED)


HEALTHY = TimeLeft(Funding.HEALTHY)
"""Sufficient funds, or no open payment."""

NEVER_ENDS = 1 << 80
"""Sorts after every height."""


@dataclass(frozen=True, slots=True)
class LeaseFunds:
    """The funds of a lease, which are the same as long as its escrow account is (None: unknown); `end_height`
    is the last height that they pay (None: no payment is open). Until then it earns `rate` (numerator,
    denominator; uve per block) from `settled_at` on, beside `balance` whole uve.
    """

    lease: LeaseId
    account: EscrowAccount | None
    end_height: int | None = None
    settled_at: int = 0
    balance: int = 0
    rate: tuple[int, int] = (0, 1)

    @classmethod
    def of(cls, lease: LeaseId, account: EscrowAccount | None) -> LeaseFunds:
        """The funds of a lease that this account pays."""
        if account is None or account.state is not State.OPEN:
            return cls(lease, account)
        for payment in account.payments:
            if payment.lease == lease and payment.state is State.OPEN:
                rate, balance = payment.rate.as_integer_ratio(), floor_uve(payment.balance)
                return cls(lease, account, end_height(account), account.settled_at, balance, rate)
        return cls(lease, account, end_height(account), account.settled_at)

    @property
    def is_exhausted(self) -> bool:
        """Whether its account is closed."""
        return self.account is not None and self.account.state is not State.OPEN

    def accrued_at(self, height: int) -> int:
        """The gross amount in whole uve that a withdrawal at this height would settle."""
        if self.account is None or self.is_exhausted:
            return 0
        return due_gross(self.account, self.lease, height)


@dataclass(frozen=True, slots=True)
class FundingSchedule:
    """The funds of all active leases, in the order of the market, and in that of their ends; `terms` are
    balance, rate and `settled_at` in the latter, plain numbers, as they are summed at every height.
    """

    funds: Mapping[LeaseId, LeaseFunds]
    by_end: tuple[LeaseFunds, ...]
    exhausted: tuple[LeaseFunds, ...]
    terms: tuple[tuple[int, int, int, int], ...]

    @classmethod
    def of(cls, funds: Mapping[LeaseId, LeaseFunds]) -> FundingSchedule:
        """The schedule of these leases."""
        ordered = sorted((each for each in funds.values() if not each.is_exhausted), key=_end)
        exhausted = tuple(each for each in funds.values() if each.is_exhausted)
        terms = tuple((each.balance, *each.rate, each.settled_at) for each in ordered)
        return cls(funds, tuple(ordered), exhausted, terms)


def _end(funds: LeaseFunds) -> int:
    return NEVER_ENDS if funds.end_height is None else funds.end_height


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FundingByLease(Mapping[LeaseId, TimeLeft]):
    """The funding of every active lease at one height, calculated when it is read; funds that last less than
    `low_seconds` or `critical_seconds` are not healthy. `usage` are the settlement escrows of those that are
    billed by usage; the account or the escrow counts, whichever ends first.
    """

    schedule: FundingSchedule
    height: int
    block_seconds: Decimal
    low_seconds: int
    critical_seconds: int
    usage: Mapping[LeaseId, TimeLeft] = field(default_factory=dict)

    def __getitem__(self, lease: LeaseId) -> TimeLeft:
        account = self.account_left(lease)
        usage = self.usage.get(lease)
        return account if usage is None else _first_to_end(account, usage)

    def account_left(self, lease: LeaseId) -> TimeLeft:
        """How long the account of the lease's deployment pays."""
        funds = self.schedule.funds[lease]
        if funds.is_exhausted:
            return TimeLeft(Funding.EXHAUSTED)
        accrued = funds.accrued_at(self.height)
        if funds.end_height is None:
            return TimeLeft(Funding.HEALTHY, accrued_uve=accrued)
        blocks = funds.end_height - self.height
        seconds = int(blocks * self.block_seconds)
        return TimeLeft(self._state(blocks, seconds), blocks, seconds, accrued)

    def __iter__(self) -> Iterator[LeaseId]:
        return iter(self.schedule.funds)

    def __len__(self) -> int:
        return len(self.schedule.funds)

    def __repr__(self) -> str:
        return repr(dict(self))

    def state_of(self, lease: LeaseId) -> Funding:
        """The state of a lease's funds; healthy if it is not active."""
        if lease in self.usage:
            return self[lease].state
        funds = self.schedule.funds.get(lease)
        if funds is None or (funds.end_height is None and not funds.is_exhausted):
            return Funding.HEALTHY
        return Funding.EXHAUSTED if funds.is_exhausted else self._state_at(funds)

    def underfunded(self) -> Iterator[LeaseId]:
        """The leases whose funds are not healthy."""
        yield from self._short_accounts()
        short = {*self._short_accounts()} if self.usage else set[LeaseId]()
        for lease, left in self.usage.items():
            if left.state is not Funding.HEALTHY and lease not in short:
                yield lease

    def unpaid(self) -> Iterator[LeaseId]:
        """The leases that are not served any more, as nothing pays for their usage."""
        yield from (lease for lease, left in self.usage.items() if left.is_unpaid)

    def ending(self, blocks: int) -> Iterator[LeaseId]:
        """The leases whose accounts pay at most so many further blocks, or ran out."""
        return self._until(lambda each: _end(each) - self.height > blocks)

    def accrued_after_take(self, percent: int) -> int:
        """What all leases have earned and not withdrawn, in whole uve after the chain's cut in percent."""
        ordered, height = self.schedule.by_end, self.height
        first = bisect_left(ordered, height, key=_end)
        ended = sum(after_take(each.accrued_at(height), percent) for each in ordered[:first])
        gross = [
            balance + over * (height - settled_at if height > settled_at else 0) // under
            for balance, over, under, settled_at in self.schedule.terms[first:]
        ]
        return ended + sum(gross) - sum([amount * percent // 100 for amount in gross])

    def _short_accounts(self) -> Iterator[LeaseId]:
        yield from (each.lease for each in self.schedule.exhausted)
        yield from self._until(lambda each: self._state_at(each) is Funding.HEALTHY)

    def _until(self, is_past: Callable[[LeaseFunds], bool]) -> Iterator[LeaseId]:
        for each in self.schedule.by_end:
            if is_past(each):
                return
            yield each.lease

    def _state_at(self, funds: LeaseFunds) -> Funding:
        if funds.end_height is None:
            return Funding.HEALTHY
        blocks = funds.end_height - self.height
        return self._state(blocks, int(blocks * self.block_seconds))

    def _state(self, blocks: int, seconds: int) -> Funding:
        if blocks < 0:
            return Funding.EXHAUSTED
        return funding_state(seconds, self.low_seconds, self.critical_seconds)


def funding_state(seconds: int, low_seconds: int, critical_seconds: int) -> Funding:
    """The state of funds that last so many seconds more."""
    if seconds < critical_seconds:
        return Funding.CRITICAL
    return Funding.LOW if seconds < low_seconds else Funding.HEALTHY


URGENCY = (Funding.HEALTHY, Funding.LOW, Funding.CRITICAL, Funding.UNFUNDED, Funding.EXHAUSTED)
"""The most urgent state last."""


def _first_to_end(account: TimeLeft, usage: TimeLeft) -> TimeLeft:
    """The account or the settlement escrow; the escrow if it pays for nothing."""
    urgency = URGENCY.index(usage.state) - URGENCY.index(account.state)
    if usage.is_unpaid:
        urgency = 1
    elif not urgency and account.seconds_left is not None and usage.seconds_left is not None:
        urgency = account.seconds_left - usage.seconds_left
    return account if urgency < 0 else replace(usage, accrued_uve=account.accrued_uve)


NO_FUNDING = FundingByLease(FundingSchedule.of({}), 0, Decimal(1), 0, 0)
"""While the chain is unseen."""


@dataclass(frozen=True, slots=True)
class Accruals:
    """What is accrued on all leases at one height, summed when it is read, as it changes with every block;
    the chain's cut is `take_percent`.
    """

    funding: FundingByLease = field(default_factory=lambda: NO_FUNDING)
    take_percent: int = 0

    def after_take(self) -> int:
        """The sum in whole uve."""
        return self.funding.accrued_after_take(self.take_percent)
