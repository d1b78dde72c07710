"""One cycle's decisions, stage by stage. Pure; equal inputs give byte-identical plans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.planning.bidding.bids import plan_bids
from reconciler.planning.capacity.placement import place_workloads
from reconciler.planning.capacity.promises import reserve
from reconciler.planning.ceilings import cap_actions
from reconciler.planning.leases import plan_closings
from reconciler.planning.memory_update import recall, update_memory
from reconciler.planning.money.fee_budget import within_fee_budget
from reconciler.planning.money.funding import funding_by_lease, paused_by_funding, plan_funding
from reconciler.planning.money.ledger import account_holds
from reconciler.planning.money.ledger_entries import ledger_entries
from reconciler.planning.money.payouts import plan_payout
from reconciler.planning.money.usage import plan_usage
from reconciler.planning.money.usage_metering import measure
from reconciler.planning.money.withdrawals import plan_withdrawals
from reconciler.planning.phases import derive_phases
from reconciler.planning.planning_input import MarketBasis, PlanningBasis, PlanningInput
from reconciler.planning.revisions.adapter_grants import without_denied
from reconciler.planning.revisions.admission import Admission, admit
from reconciler.planning.revisions.approvals import REMOVALS, current_approvals, spending_breach
from reconciler.planning.revisions.window import record_applied
from reconciler.planning.specifications import with_specifications
from reconciler.planning.transactions import plan_transactions, suspension
from reconciler.planning.witness_doubts import funding_doubts
from reconciler.planning.workloads import plan_workloads
from reconciler.values.approvals import Breach
from reconciler.values.desired import Desired
from reconciler.values.funding import NO_FUNDING
from reconciler.values.ledger import LedgerEntry
from reconciler.values.memory import Memory
from reconciler.values.observed import Market
from reconciler.values.plans import (
    Action,
    ApplyWorkload,
    Hold,
    NotifyTenant,
    Plan,
    PrepareAdapter,
    Reason,
    Rebroadcast,
    RemoveWorkload,
    SendTransaction,
)
from reconciler.values.readings import Unseen
from reconciler.values.result_cache import ResultCache
from reconciler.values.subjects import CHAIN, Subject
from reconciler.values.work import latest_actions

EMPTY_DESIRED = Desired("", None, None, {}, {})
"""The desired state before the first revision is seen: nothing is started, removed or bid on."""


def plan(inputs: PlanningInput, decisions: ResultCache | None = None) -> Plan:
    """Recall what ended since the last plan, admit a revision, derive the state under it, and decide.

    `decisions` are those of earlier plans; the plan is the same without them.
    """
    memory = recall(inputs)
    admission = admit(inputs, memory)
    basis = derive(inputs, memory, admission, decisions)
    return decide(inputs, admission, basis)


def revision_in_force(inputs: PlanningInput) -> Desired:
    """The desired state that the plan is based on; independent of chain and adapters."""
    return admit(inputs, recall(inputs)).desired or EMPTY_DESIRED


def derive(
    inputs: PlanningInput, memory: Memory, admission: Admission, decisions: ResultCache | None = None
) -> PlanningBasis:
    """Funding, placement, memory and phases under the revision in force."""
    admitted = with_specifications(_basis(inputs, memory, admission, decisions or ResultCache()))
    reservation = reserve(admitted)
    placed = replace(admitted, reservation=reservation, desired=place_workloads(admitted, reservation))
    funded = _with_funding(placed) if isinstance(placed, MarketBasis) else placed
    memory = replace(update_memory(funded), promises=reservation.promises)
    current = replace(funded, memory=memory)
    phases = derive_phases(current)
    updated = replace(current.memory, workloads=phases.workloads)
    return replace(current, memory=updated, transitions=phases.transitions)


def _with_funding(basis: MarketBasis) -> MarketBasis:
    """With what usage-billed workloads ran until now, and with how long each lease is still paid for; without
    the workloads that nothing pays for.
    """
    usage = measure(basis)
    memory = replace(
        basis.memory,
        usage=basis.memory.usage if usage == basis.memory.usage else usage,
        pricing=basis.desired.pricing or basis.memory.pricing,
    )
    measured = replace(basis, memory=memory)
    funded = replace(measured, funding=funding_by_lease(measured))
    funded = replace(funded, doubts=funding_doubts(funded))
    return replace(funded, desired=paused_by_funding(funded))


def decide(inputs: PlanningInput, admission: Admission, basis: PlanningBasis) -> Plan:
    """Decide on workloads and on transactions, and order the effects; one over a ceiling becomes a hold."""
    money = _plan_transactions(basis) if isinstance(basis, MarketBasis) else _chain_unavailable(inputs)
    decisions = [*admission.holds, *suspension(basis.desired), *plan_workloads(basis), *money.decisions]
    actions = sorted((d for d in decisions if not isinstance(d, Hold)), key=_dispatch_order)
    within = cap_actions(actions, basis.limits, inputs.in_flight)
    holds = {*within.holds, *(d for d in decisions if isinstance(d, Hold))}
    approvable = _approvable(basis, admission, holds)
    return Plan(
        revision=basis.desired.commit,
        actions=within.actions,
        holds=tuple(sorted(holds, key=_hold_order)),
        transitions=basis.transitions,
        memory=replace(
            basis.memory, last_batch=money.batch, approvable=approvable, to_confirm=money.to_confirm
        ),
        funding=basis.funding,
        confirmations=inputs.confirmations,
        revision_verdict=admission.revision_verdict,
        superseded=admission.superseded,
        entries=_entries(inputs, basis.market) if isinstance(basis, MarketBasis) else (),
    )


def _entries(inputs: PlanningInput, market: Market) -> tuple[LedgerEntry, ...]:
    payout = inputs.limits.payout
    address = payout.address if payout else ""
    return ledger_entries(inputs.memory, market, inputs.confirmations, address)


def _basis(
    inputs: PlanningInput, memory: Memory, admission: Admission, decisions: ResultCache
) -> PlanningBasis:
    """The inputs under the revision in force, before workloads are placed."""
    desired, market = admission.desired or EMPTY_DESIRED, inputs.seen_market
    kind: type[PlanningBasis] = PlanningBasis if market is None else MarketBasis
    return kind(
        now=inputs.now,
        desired=desired,
        market=market,
        adapters=without_denied(inputs.adapters, desired, inputs.limits.grants),
        memory=replace(
            _window(inputs, memory, admission),
            approvals=current_approvals(inputs, memory, admission.breaches, desired),
        ),
        limits=inputs.limits,
        intents=inputs.intents,
        sends_notices=inputs.sends_notices,
        funding=NO_FUNDING,
        in_flight=latest_actions(inputs.in_flight),
        manifests=inputs.manifests,
        decisions=decisions,
    )


def _window(inputs: PlanningInput, memory: Memory, admission: Admission) -> Memory:
    """The memory with the revision in force recorded in the window of the bounds."""
    if admission.desired is None or admission.revisions is None:
        return memory
    applied = admission.revisions.applied
    change = (applied.desired if applied else None, admission.desired)
    memory = memory if admission.rates is memory.rates else replace(memory, rates=admission.rates)
    approved = any(b.limit == REMOVALS for b in admission.breaches)  # applied because approved
    return record_applied(memory, change, inputs.limits, inputs.now, approved=approved)


@dataclass(frozen=True, slots=True)
class _Money:
    """The decisions about money, the kind of the transaction that is sent, and what the witness is asked."""

    decisions: Sequence[Action | Hold]
    batch: str
    to_confirm: frozenset[Subject] = frozenset()


def _plan_transactions(basis: MarketBasis) -> _Money:
    proposals = plan_closings(basis) + plan_bids(basis) + plan_usage(basis) + plan_withdrawals(basis)
    proposals += plan_payout(basis)
    payable = within_fee_budget(basis, proposals.messages)
    sending = plan_transactions(basis, payable.messages)
    held = (*proposals.holds, *payable.holds, *sending.holds)
    decisions = [*account_holds(basis), *plan_funding(basis), *held]
    to_confirm = proposals.to_confirm | basis.doubts.keys()
    return _Money([*decisions, *sending.actions], sending.batch, to_confirm)


def _chain_unavailable(inputs: PlanningInput) -> _Money:
    assert isinstance(inputs.market, Unseen), "without a market the chain is unseen"
    why = f"{inputs.market.why}; no bid, withdrawal or removal until it is seen"
    return _Money([Hold(CHAIN, Reason.CHAIN_UNSEEN, why, ours=True)], inputs.memory.last_batch)


def _approvable(basis: PlanningBasis, admission: Admission, holds: Iterable[Hold]) -> Mapping[str, Breach]:
    """The breaches that the owner may approve now: those with a hold."""
    named = {hold.approval for hold in holds if hold.approval}
    spends = (
        [spending_breach(basis.desired.commit, basis.limits, basis.market.wallet.address)]
        if basis.market
        else []
    )
    found = {breach.digest: breach for breach in (*admission.breaches, *spends) if breach.digest in named}
    return basis.memory.approvable if found == basis.memory.approvable else found


def _dispatch_order(action: Action) -> tuple[int, str]:
    """The order of dispatch: transactions first, as their confirmation takes blocks; removals before
    applications, as they free capacity.
    """
    match action:
        case Rebroadcast(hash=tx):
            return 0, tx
        case SendTransaction():
            return 1, ""
        case PrepareAdapter(adapter=adapter):
            return 2, adapter
        case RemoveWorkload(id=removed):
            return 3, removed
        case ApplyWorkload(workload=workload):
            return 4, workload.id
        case NotifyTenant(lease=lease):
            return 5, str(lease)


def _hold_order(hold: Hold) -> tuple[str, Reason, str, bool, str]:
    """Sorts by the subject's text first; faster than comparing nested records."""
    return hold.subject.name, hold.reason, hold.message, hold.ours, hold.approval
