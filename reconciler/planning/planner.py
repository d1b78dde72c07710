"""Read first: one cycle's decisions, step by step. Pure; the same situation gives the same plan, byte for
byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.planning.adapter_grants import without_denied
from reconciler.planning.admission import Admitted, admit
from reconciler.planning.approvals import REMOVALS, heard, spending, standing
from reconciler.planning.bids import plan_bids
from reconciler.planning.ceilings import bounded
from reconciler.planning.funding import fundings, plan_funding, stopped_by_funding
from reconciler.planning.leases import plan_closings
from reconciler.planning.ledger import keep_books
from reconciler.planning.memory_update import confirm_all, take_outcomes
from reconciler.planning.phases import plan_phases
from reconciler.planning.placement import placed
from reconciler.planning.planning_input import PlanningFacts, PlanningInput, Proposals, market_of
from reconciler.planning.retries import prune
from reconciler.planning.transactions import Sending, plan_transactions, suspension
from reconciler.planning.usage import plan_usage
from reconciler.planning.usage_metering import measure
from reconciler.planning.window import put_in_force
from reconciler.planning.withdrawals import plan_withdrawals
from reconciler.planning.workloads import plan_workloads
from reconciler.values.approvals import Breach
from reconciler.values.desired import Desired
from reconciler.values.funding import Funding, TimeLeft
from reconciler.values.ids import LeaseId
from reconciler.values.memory import Memory
from reconciler.values.observed import Market
from reconciler.values.plans import (
    Action,
    ApplyWorkload,
    BroadcastAgain,
    Hold,
    NotifyTenant,
    Plan,
    PrepareAdapter,
    Reason,
    RemoveWorkload,
    SendTransaction,
    Transition,
)
from reconciler.values.readings import Unseen
from reconciler.values.subjects import CHAIN, Subject

EMPTY_DESIRED = Desired("", None, None, None, None, {})
"""What is desired where no revision was ever seen: nothing is started, removed or bid on for it."""


def revision_in_force(situation: PlanningInput) -> Desired:
    """The desired state that a plan of this situation is made from; chain and adapters play no part in it."""
    return admit(_heeding(situation)).desired or EMPTY_DESIRED


def _heeding(situation: PlanningInput) -> PlanningInput:
    """With the approvals given since the last cycle."""
    heeded = heard(situation.memory, situation.approvals)
    return replace(situation, memory=replace(situation.memory, approvals=heeded))


def plan(situation: PlanningInput) -> Plan:
    """Recall, admit a revision, derive phases, then decide about workloads and about money."""
    situation = _heeding(situation)
    admitted = admit(situation)
    desired = admitted.desired or EMPTY_DESIRED
    situation = replace(
        situation, adapters=without_denied(situation.adapters, desired, situation.limits.grants)
    )
    market = market_of(situation)
    kept = standing(situation, admitted.breaches, desired, market)
    windowed = _put_in_force(situation, admitted)
    situation = replace(situation, memory=replace(windowed, approvals=kept))
    funding = fundings(market, desired) if market is not None else {}
    desired = placed(situation, stopped_by_funding(desired, funding), market)
    situation = replace(situation, memory=_recall(situation, desired, market, funding))
    phases = plan_phases(situation, desired, market)
    situation = replace(situation, memory=replace(situation.memory, workloads=phases.workloads))
    decisions: list[Action | Hold] = [
        *admitted.holds,
        *suspension(desired),
        *plan_workloads(situation, desired, market),
    ]
    if market is None:
        assert isinstance(situation.market, Unseen), "a market is seen or unseen"
        why = f"{situation.market.why}; no bid, withdrawal or removal until it is seen"
        decisions.append(Hold(CHAIN, Reason.CHAIN_UNSEEN, why, ours=True))
        sending = Sending((), (), situation.memory.last_lane)
    else:
        proposals = _spend(situation, desired, market, funding)
        sending = plan_transactions(situation, desired, market, proposals.messages)
        decisions.extend(plan_funding(situation, desired, funding))
        decisions.extend((*proposals.holds, *sending.holds, *sending.actions))
    waiting = _waiting(situation, desired, admitted.breaches, decisions)
    memory = replace(situation.memory, last_lane=sending.lane, waiting=waiting)
    made = _whole(replace(situation, memory=memory), desired, decisions, phases.transitions)
    return replace(made, funding=funding, judged=admitted.judged, superseded=admitted.superseded)


def _put_in_force(situation: PlanningInput, admitted: Admitted) -> Memory:
    """The memory with what the revision in force means for the window that bounds look back on."""
    if admitted.desired is None or isinstance(situation.desired, Unseen):
        return situation.memory
    applied = situation.desired.view.applied
    change = (applied.desired if applied else None, admitted.desired)
    approved = any(b.limit == REMOVALS for b in admitted.breaches)  # in force all the same
    return put_in_force(situation.memory, change, situation.limits, situation.now, approved=approved)


def _waiting(
    situation: PlanningInput, desired: Desired, passed: Sequence[Breach], decisions: Sequence[Action | Hold]
) -> Mapping[str, Breach]:
    """What may be approved now: the bounds for which something is held."""
    named = {d.approval for d in decisions if isinstance(d, Hold) and d.approval}
    market = market_of(situation)
    spends = [spending(desired.commit, situation.limits, market.wallet.address)] if market else []
    found = {breach.digest: breach for breach in (*passed, *spends) if breach.digest in named}
    return situation.memory.waiting if found == situation.memory.waiting else found


def _recall(
    situation: PlanningInput, desired: Desired, market: Market | None, funding: Mapping[LeaseId, TimeLeft]
) -> Memory:
    """What is known before anything is decided."""
    sequence = market.wallet.sequence if market is not None else None
    memory = confirm_all(situation.memory, situation.confirmations, situation.now, sequence)
    memory = take_outcomes(memory, situation.outcomes, situation.now)
    if desired.commit and desired.commit != memory.applied:
        fresh = {k: r for k, r in memory.retries.items() if k.kind != ApplyWorkload.__name__}
        memory = replace(memory, applied=desired.commit, good=desired.good, retries=fresh)
    if market is None:
        return memory
    memory = keep_books(situation, memory, market)
    usage = measure(replace(situation, memory=memory), market)
    underfunded = {Subject.of_workload(x) for x, left in funding.items() if left.state is not Funding.HEALTHY}
    notified = frozenset(k for k in memory.notified if k.subject in underfunded)
    drawn = {k: t for k, t in memory.withdrawn_at.items() if k in market.leases}
    return replace(
        memory,
        usage=memory.usage if usage == memory.usage else usage,
        notified=memory.notified if notified == memory.notified else notified,
        withdrawn_at=memory.withdrawn_at if drawn == memory.withdrawn_at else drawn,
        retries=prune(memory.retries, market),
    )


def _spend(
    situation: PlanningInput, desired: Desired, market: Market, funding: Mapping[LeaseId, TimeLeft]
) -> Proposals:
    """What brings or costs money, in the order in which it goes first when not all fits."""
    scene = PlanningFacts(
        situation.now,
        desired,
        market,
        situation.adapters,
        situation.memory,
        situation.limits,
        funding,
    )
    return plan_closings(scene) + plan_bids(scene) + plan_usage(scene) + plan_withdrawals(scene)


def _whole(
    situation: PlanningInput,
    desired: Desired,
    decisions: list[Action | Hold],
    transitions: tuple[Transition, ...],
) -> Plan:
    actions = sorted((d for d in decisions if not isinstance(d, Hold)), key=_rank)
    within = bounded(actions, situation.limits)
    holds = {*within.holds, *(d for d in decisions if isinstance(d, Hold))}
    return Plan(
        revision=desired.commit,
        actions=within.actions,
        holds=tuple(sorted(holds, key=_hold_order)),
        transitions=transitions,
        memory=situation.memory,
        confirmations=situation.confirmations,
    )


def _rank(action: Action) -> tuple[int, str]:
    """The one order of effects: money first, as its confirmation takes blocks; room is freed before it is
    used.
    """
    match action:
        case BroadcastAgain(hash=tx):
            return 0, tx
        case SendTransaction():
            return 1, ""
        case PrepareAdapter(adapter=adapter):
            return 2, adapter
        case RemoveWorkload(id=subject):
            return 3, subject
        case ApplyWorkload(workload=workload):
            return 4, workload.id
        case NotifyTenant(lease=lease):
            return 5, str(lease)


def _hold_order(hold: Hold) -> tuple[str, Reason, str, bool, str]:
    """By the subject's text first; faster than the order of nested records."""
    return hold.subject.name, hold.reason, hold.message, hold.ours, hold.approval
