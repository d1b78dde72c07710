"""Withdraws the earnings of leases: when they are due and cheap, and before their funds run out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from reconciler.planning.money.fees import Fees
from reconciler.planning.planning_input import MarketBasis, Proposals
from reconciler.planning.retries import retry_hold, withdrawal_is_gated
from reconciler.values.desired import Withdrawals
from reconciler.values.escrow import due_gross
from reconciler.values.ids import DeploymentId, LeaseId
from reconciler.values.messages import WithdrawLease
from reconciler.values.money import after_take
from reconciler.values.observed import Lease, Market, State
from reconciler.values.plans import Hold, Reason
from reconciler.values.subjects import Subject

LAST_BLOCKS = 10
"""Blocks of remaining funds at which a lease is withdrawn once more, unless the account was settled within as
many blocks: after the funds end, earlier payments consume the funds of later ones (semantics 4.6).
"""

NEARLY_DUE_PERCENT = 50
"""Share of the interval after which a withdrawal joins a transaction that is sent for another. Of two leases,
one is at half of its interval or later whenever the other is due, so all soon share one transaction; with a
larger share, leases that began at different times would pay for several for ever.
"""

RUN_OUT = "its deployment's funds have run out; the withdrawal will record that and close the lease"
CLOSED_INSTEAD = (
    "its deployment's funds have run out, and the chain refuses its withdrawal; its bid is closed instead, "
    "which pays what is left and ends the lease"
)


@dataclass(frozen=True, slots=True)
class LeasesByAge:
    """The active leases, oldest first: by chain time of the last known withdrawal, and those without any by
    the height of their creation.
    """

    by_withdrawal: Sequence[tuple[int, LeaseId]]
    by_creation: Sequence[tuple[int, LeaseId]]

    @classmethod
    def of(cls, market: Market, withdrawn_at: Mapping[LeaseId, int]) -> LeasesByAge:
        """The leases of a market in these orders."""
        active = [lease for lease in market.leases.values() if lease.state is State.ACTIVE]
        withdrawn = [(withdrawn_at[lease.id], lease.id) for lease in active if lease.id in withdrawn_at]
        never = [(lease.created_at, lease.id) for lease in active if lease.id not in withdrawn_at]
        return cls(sorted(withdrawn, key=itemgetter(0)), sorted(never, key=itemgetter(0)))


@dataclass(frozen=True, slots=True)
class LeaseEarnings:
    """What a lease pays out in the next block, net uve, and how long after the last time.

    `is_over`: its funds have run out; `is_ending`: they soon will; `is_blocked`: its account was settled in
    this block, or the chain refuses the withdrawal.
    """

    lease: LeaseId
    net: int
    since_seconds: int
    is_over: bool
    is_ending: bool
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class WithdrawalSchedule:
    """When a withdrawal is due; its fee in uve, alone and in a transaction that is sent anyway."""

    rules: Withdrawals
    fee: int
    further_fee: int

    def is_due(self, each: LeaseEarnings) -> bool:
        """Whether it justifies a transaction: it is due and cheap, or its funds end."""
        if each.is_over or (each.is_ending and each.net > self.fee):
            return True
        return each.since_seconds >= self.rules.every_seconds and self._is_cheap(each.net, self.fee)

    def may_join(self, each: LeaseEarnings) -> bool:
        """Whether it is nearly due, and cheap in a transaction that is sent anyway."""
        nearly = 100 * each.since_seconds >= NEARLY_DUE_PERCENT * self.rules.every_seconds
        return nearly and self._is_cheap(each.net, self.further_fee)

    def is_too_small(self, each: LeaseEarnings) -> bool:
        """Whether its interval has elapsed, and its fee is too high a share of it."""
        return each.since_seconds >= self.rules.every_seconds and not self._is_cheap(each.net, self.fee)

    def _is_cheap(self, net: int, fee: int) -> bool:
        return net - fee >= self.rules.min_gain and 100 * fee <= self.rules.fee_percent_max * net


def plan_withdrawals(basis: MarketBasis) -> Proposals:
    """Withdraw what is due and cheap, with it what nearly is, and from leases whose funds end, which ends
    them; one lease of a deployment at a time (semantics 4.4).
    """
    rules = basis.desired.config.withdrawals if basis.desired.config else Withdrawals()
    fees = Fees.under(basis.market.rules, basis.limits, basis.memory)
    schedule = WithdrawalSchedule(rules, fees.withdrawal, fees.further_withdrawal)
    found = sorted(
        _all_earnings(basis, rules), key=lambda e: (not (e.is_over or e.is_ending), -e.net, e.lease)
    )
    open_ones = [each for each in found if not each.is_blocked]
    due = [each for each in open_ones if schedule.is_due(each)]
    joining = [each for each in open_ones if due and not schedule.is_due(each) and schedule.may_join(each)]
    messages, waiting = _messages(basis, [*due, *joining])
    chosen = {each.lease for each in (*due, *joining)}
    left_out = [each for each in open_ones if each.lease not in chosen and schedule.is_too_small(each)]
    holds = (*_exhausted(basis, found), *waiting, *(_too_small(each, rules) for each in left_out))
    return Proposals(messages, holds)


def _messages(
    basis: MarketBasis, chosen: list[LeaseEarnings]
) -> tuple[tuple[WithdrawLease, ...], tuple[Hold, ...]]:
    messages: list[WithdrawLease] = []
    holds: list[Hold] = []
    touched: set[DeploymentId] = set()
    for each in chosen:
        message, subject = WithdrawLease(each.lease, each.net), Subject.of_workload(each.lease)
        if each.lease.deployment in touched:
            why = "another lease of its deployment is withdrawn first; two in one block break its payments"
            holds.append(Hold(subject, Reason.AWAITING_HEIGHT, why))
        elif back := retry_hold(basis.memory, message, subject, basis.now):
            holds.append(back)
        else:
            touched.add(each.lease.deployment)
            messages.append(message)
    return tuple(messages), tuple(holds)


def _all_earnings(basis: MarketBasis, rules: Withdrawals) -> Iterator[LeaseEarnings]:
    """Of each lease whose interval is nearly over, or whose funds end."""
    height, take = basis.market.height, basis.market.rules.take_percent
    ending = set(basis.funding.ending(LAST_BLOCKS))
    seconds = NEARLY_DUE_PERCENT * rules.every_seconds // 100
    for lease in ending.union(_last_withdrawn_before(basis, seconds)):
        account = basis.market.accounts.get(lease.deployment)
        if account is None or account.state is not State.OPEN:
            continue
        left = basis.funding.account_left(lease).blocks_left
        is_over = left is not None and left < 0
        is_ending = lease in ending and not is_over and height - account.settled_at > LAST_BLOCKS
        is_gated = is_over and withdrawal_is_gated(basis.memory, lease)
        yield LeaseEarnings(
            lease,
            after_take(due_gross(account, lease, height + 1), take),
            basis.market.time - _last_withdrawn(basis, basis.market.leases[lease]),
            is_over,
            is_ending,
            account.settled_at >= height or is_gated,
        )


def _last_withdrawn_before(basis: MarketBasis, seconds: int) -> Iterator[LeaseId]:
    """The leases whose last withdrawal, or else whose creation, is at least so long ago."""
    market, withdrawn_at = basis.market, basis.memory.withdrawn_at
    inputs = (market.leases, withdrawn_at)
    ages = basis.decisions.reuse("leases by age", inputs, lambda: LeasesByAge.of(market, withdrawn_at))
    for at, lease in ages.by_withdrawal:
        if market.time - at < seconds:
            break
        yield lease
    for height, lease in ages.by_creation:
        if basis.seconds(market.height - height) < seconds:
            break
        yield lease


def _exhausted(basis: MarketBasis, found: list[LeaseEarnings]) -> Iterator[Hold]:
    for each in found:
        if each.is_over:
            why = CLOSED_INSTEAD if withdrawal_is_gated(basis.memory, each.lease) else RUN_OUT
            yield Hold(Subject.of_workload(each.lease), Reason.ESCROW_EXHAUSTED, why, ours=True)


def _too_small(each: LeaseEarnings, rules: Withdrawals) -> Hold:
    most = f"{rules.fee_percent_max} % of them (withdrawals.fee_percent_max)"
    why = f"earnings since the last withdrawal are not yet worth its fee, which may be {most}"
    return Hold(Subject.of_workload(each.lease), Reason.NOT_WORTH_ITS_FEE, why)


def _last_withdrawn(basis: MarketBasis, lease: Lease) -> int:
    """Chain time of the last known withdrawal, else of the lease's creation."""
    known = basis.memory.withdrawn_at.get(lease.id)
    if known is not None:
        return known
    return basis.market.time - basis.seconds(basis.market.height - lease.created_at)
