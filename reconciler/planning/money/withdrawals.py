"""Withdraws the earnings of leases: by interval and gain, and before their funds run out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from reconciler.planning.money.fees import Fees
from reconciler.planning.planning_input import MarketBasis, Proposals
from reconciler.planning.retries import retry_hold
from reconciler.values.desired import Withdrawals
from reconciler.values.escrow import due_gross
from reconciler.values.ids import DeploymentId, LeaseId
from reconciler.values.messages import WithdrawLease
from reconciler.values.money import after_take
from reconciler.values.observed import EscrowAccount, Lease, Market, State
from reconciler.values.plans import Hold, Reason
from reconciler.values.subjects import Subject

LAST_BLOCKS = 10
"""Blocks of remaining funds at which a lease is withdrawn once more, unless the account was settled within as
many blocks: after the funds end, earlier payments consume the funds of later ones (semantics 4.6).
"""


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
        drawn = [(withdrawn_at[lease.id], lease.id) for lease in active if lease.id in withdrawn_at]
        new = [(lease.created_at, lease.id) for lease in active if lease.id not in withdrawn_at]
        return cls(sorted(drawn, key=itemgetter(0)), sorted(new, key=itemgetter(0)))


def plan_withdrawals(basis: MarketBasis) -> Proposals:
    """Withdraw what is due and worth its fee, and from leases without funds, which ends them; one lease of a
    deployment at a time (semantics 4.4).
    """
    messages: list[WithdrawLease] = []
    holds: list[Hold] = []
    touched: set[DeploymentId] = set()
    for decision in _evaluate_all(basis):
        if isinstance(decision, Hold):
            holds.append(decision)
        elif decision.id.deployment in touched:
            why = "another lease of its deployment is withdrawn first; two in one block break its payments"
            holds.append(Hold(Subject.of_workload(decision.id), Reason.AWAITING_HEIGHT, why))
        else:
            touched.add(decision.id.deployment)
            messages.append(decision)
    return Proposals(tuple(messages), tuple(holds))


def _evaluate_all(basis: MarketBasis) -> Iterator[WithdrawLease | Hold]:
    rules = basis.desired.config.withdrawals if basis.desired.config else Withdrawals()
    fee = Fees.under(basis.market.rules, basis.limits).withdrawal
    near = {*basis.funding.ending(LAST_BLOCKS), *_last_withdrawn_before(basis, rules.every_seconds)}
    for lease in map(basis.market.leases.__getitem__, sorted(near)):
        if not _may_be_due(basis, lease, rules):
            continue
        account = basis.market.accounts.get(lease.id.deployment)
        if account is not None and account.state is State.OPEN:
            yield from _evaluate(basis, lease, account, (rules, fee))


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


def _may_be_due(basis: MarketBasis, lease: Lease, rules: Withdrawals) -> bool:
    """Whether the lease is due: its interval has elapsed, or its funds end."""
    if lease.state is not State.ACTIVE:
        return False
    left = basis.funding.account_left(lease.id).blocks_left
    ends = left is not None and left <= LAST_BLOCKS
    return ends or basis.market.time - _last_withdrawn(basis, lease) >= rules.every_seconds


def _evaluate(
    basis: MarketBasis, lease: Lease, account: EscrowAccount, terms: tuple[Withdrawals, int]
) -> Iterator[WithdrawLease | Hold]:
    rules, fee = terms
    height = basis.market.height
    left = basis.funding.account_left(lease.id).blocks_left
    over = left is not None and left < 0
    ending = over or (left is not None and left <= LAST_BLOCKS < height - account.settled_at)
    if over:
        why = "its deployment's funds have run out; the withdrawal will record that and close the lease"
        yield Hold(Subject.of_workload(lease.id), Reason.ESCROW_EXHAUSTED, why, ours=True)
    if not ending and basis.market.time - _last_withdrawn(basis, lease) < rules.every_seconds:
        return
    if account.settled_at >= height:
        return
    net = after_take(due_gross(account, lease.id, height + 1), basis.market.rules.take_percent)
    if not over and net - fee < (1 if ending else rules.min_gain):
        if not ending:
            why = "earnings since the last withdrawal are not yet worth its fee"
            yield Hold(Subject.of_workload(lease.id), Reason.NOT_WORTH_ITS_FEE, why)
        return
    message = WithdrawLease(lease.id, net)
    yield retry_hold(basis.memory, message, Subject.of_workload(lease.id), basis.now) or message


def _last_withdrawn(basis: MarketBasis, lease: Lease) -> int:
    """Chain time of the last known withdrawal, else of the lease's creation."""
    known = basis.memory.withdrawn_at.get(lease.id)
    if known is not None:
        return known
    return basis.market.time - basis.seconds(basis.market.height - lease.created_at)
