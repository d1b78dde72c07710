"""Withdraws the earnings of leases: by interval and gain, and before their funds run out."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.planning.money.escrow import due_gross
from reconciler.planning.money.fees import Fees
from reconciler.planning.planning_input import MarketBasis, Proposals
from reconciler.planning.retries import retry_hold
from reconciler.values.desired import Withdrawals
from reconciler.values.ids import DeploymentId
from reconciler.values.messages import WithdrawLease
from reconciler.values.money import after_take
from reconciler.values.observed import EscrowAccount, Lease, State
from reconciler.values.plans import Hold, Reason
from reconciler.values.subjects import Subject

LAST_BLOCKS = 10
"""Blocks of remaining funds at which a lease is withdrawn once more, unless the account was settled within as
many blocks: after the funds end, earlier payments consume the funds of later ones (semantics 4.6).
"""


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
    due = [lease for lease in basis.market.leases.values() if _may_be_due(basis, lease, rules)]
    for lease in sorted(due, key=lambda x: x.id):
        account = basis.market.accounts.get(lease.id.deployment)
        if account is not None and account.state is State.OPEN:
            yield from _evaluate(basis, lease, account, (rules, fee))


def _may_be_due(basis: MarketBasis, lease: Lease, rules: Withdrawals) -> bool:
    """Whether the lease is due: its interval has elapsed, or its funds end."""
    if lease.state is not State.ACTIVE:
        return False
    left = basis.funding[lease.id].blocks_left
    ends = left is not None and left <= LAST_BLOCKS
    return ends or basis.market.time - _last_withdrawn(basis, lease) >= rules.every_seconds


def _evaluate(
    basis: MarketBasis, lease: Lease, account: EscrowAccount, terms: tuple[Withdrawals, int]
) -> Iterator[WithdrawLease | Hold]:
    rules, fee = terms
    height = basis.market.height
    left = basis.funding[lease.id].blocks_left
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
