"""What is to be ended on the word of one node, and why the witness does not confirm it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from reconciler.planning.money.usage_funding import usage_left
from reconciler.planning.planning_input import MarketBasis
from reconciler.planning.retries import withdrawal_is_gated
from reconciler.values.desired import Config, OnCritical
from reconciler.values.funding import URGENCY, FundingSchedule, LeaseFunds
from reconciler.values.ids import DeploymentId, LeaseId, OrderId
from reconciler.values.observed import EscrowAccount, Lease, Market, OrderSettlement, Wallet, WitnessView
from reconciler.values.subjects import Subject

DISAGREES = "the witness shows otherwise"


def doubt(basis: MarketBasis, subject: Subject, condition: Callable[[MarketBasis], bool]) -> str:
    """Why the witness does not confirm a condition of the market that rests on this subject; empty if it
    does, or if no witness is named.
    """
    witness = basis.market.witness
    if witness is None:
        return ""
    if subject not in witness.shown:
        return witness.why or "the witness is queried for it in the next cycle"
    return "" if condition(replace(basis, market=_as_shown(basis.market, subject, witness))) else DISAGREES


def _as_shown(market: Market, subject: Subject, witness: WitnessView) -> Market:
    """The market with what the witness shows of the subject."""
    match subject.id, witness.shown[subject]:
        case OrderId() as order, OrderSettlement() as settlement:
            return replace(market, settlements={**market.settlements, order: settlement})
        case DeploymentId() as deployment, EscrowAccount() as account:
            return replace(market, accounts={**market.accounts, deployment: account})
        case DeploymentId() as deployment, None:
            accounts = {each: a for each, a in market.accounts.items() if each != deployment}
            return replace(market, accounts=accounts)
        case LeaseId() as lease, Lease() as shown:
            return replace(market, leases={**market.leases, lease: shown})
        case LeaseId() as lease, None:
            return replace(market, leases={each: x for each, x in market.leases.items() if each != lease})
        case None, Wallet() as wallet:
            return replace(market, wallet=wallet)
        case _:
            raise ValueError(f"the witness shows something else for {subject}")


def funding_doubts(basis: MarketBasis) -> Mapping[Subject, str]:
    """For each order whose usage nothing pays for, and each deployment whose account ran out, or is critical
    where that stops a workload: why the witness does not confirm it.
    """
    if basis.market.witness is None:
        return {}
    return {
        **{Subject.of_order(lease.order): _usage_doubt(basis, lease) for lease in basis.funding.unpaid()},
        **{
            Subject.of_deployment(lease.deployment): _account_doubt(basis, lease)
            for lease in _short_accounts(basis)
        },
    }


def _usage_doubt(basis: MarketBasis, lease: LeaseId) -> str:
    def is_unpaid(seen: MarketBasis) -> bool:
        return usage_left(seen, seen.market.leases[lease]).is_unpaid

    return doubt(basis, Subject.of_order(lease.order), is_unpaid)


def _account_doubt(basis: MarketBasis, lease: LeaseId) -> str:
    """The witness must show a state that is at least as urgent."""
    urgency = URGENCY.index(basis.funding.account_left(lease).state)

    def is_as_short(seen: MarketBasis) -> bool:
        funds = LeaseFunds.of(lease, seen.market.accounts.get(lease.deployment))
        left = replace(seen.funding, schedule=FundingSchedule.of({lease: funds})).account_left(lease)
        return URGENCY.index(left.state) >= urgency

    return doubt(basis, Subject.of_deployment(lease.deployment), is_as_short)


def _short_accounts(basis: MarketBasis) -> list[LeaseId]:
    """The leases that are stopped or closed as their account is short."""
    config = basis.desired.config or Config()
    if config.escrow.on_critical is OnCritical.PAUSE:
        return [x for x in basis.funding.underfunded() if basis.funding.account_left(x).is_critical]
    return [x for x in basis.funding.ending(-1) if withdrawal_is_gated(basis.memory, x)]
