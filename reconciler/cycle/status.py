"""What is published and what is shown, derived from one cycle's readings and plan. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.planning.phases import trouble_of
from reconciler.planning.planning_input import PlanningInput, market_of
from reconciler.values.desired import Desired
from reconciler.values.funding import Funding
from reconciler.values.ids import WorkloadId, workload_id
from reconciler.values.memory import WorkloadMemory
from reconciler.values.observed import AdapterView, Lease, Market, SettlementSide, State
from reconciler.values.plans import Hold, Plan
from reconciler.values.readings import Seen
from reconciler.values.status import BidStatus, Notice, Status, WorkloadStatus


@dataclass(frozen=True, slots=True)
class PlannedCycle:
    """A finished plan beside the situation it was made from."""

    situation: PlanningInput
    plan: Plan


def same_objects(before: PlannedCycle | None, now: PlannedCycle) -> bool:
    """Whether everything that is told of workloads and bids is the very same as in an earlier cycle.

    Decided by identity: what did not change is not made anew by any source, nor by the planner.
    """
    if before is None:
        return False
    old, new = market_of(before.situation), market_of(now.situation)
    if old is None or new is None:
        return False
    pairs: list[tuple[object, object]] = [
        (old.leases, new.leases),
        (old.bids, new.bids),
        (old.settlements, new.settlements),
        (before.plan.memory.workloads, now.plan.memory.workloads),
        (before.plan.memory.retries, now.plan.memory.retries),
    ]
    shown = before.situation.adapters.items()
    for name, view in now.situation.adapters.items():
        earlier = before.situation.adapters.get(name)
        pairs += [(earlier and _looked(earlier), _looked(view))]
    return (
        len(shown) == len(now.situation.adapters)
        and all(a is b for a, b in pairs)
        and before.plan.revision == now.plan.revision
        and before.plan.holds == now.plan.holds
    )


def _looked(view: AdapterView) -> object:
    """What identifies a look at an adapter: its view, or the very failure."""
    return view.workloads.view if isinstance(view.workloads, Seen) else view.workloads


def status_of(
    provider: str, finding: PlannedCycle, desired: Desired | None, before: Status | None
) -> Status | None:
    """The status to publish; while the chain is unseen, what was known of leases and bids stays as it was."""
    market = market_of(finding.situation)
    if market is None:
        return before
    holds = [h for h in finding.plan.holds if h.ours]
    workloads = finding.plan.memory.workloads
    about: dict[str, list[Notice]] = {}
    for hold in holds:
        about.setdefault(hold.subject, []).append(_notice(hold))
    return Status(
        provider=provider,
        address=market.wallet.address,
        chain_id=market.chain_id,
        revision=finding.plan.revision,
        workloads=tuple(_workload(finding, market, memory, about) for _, memory in sorted(workloads.items())),
        bids=tuple(
            BidStatus(b.id, b.state, b.price, b.deposit)
            for b in sorted(market.bids.values(), key=lambda b: b.id)
            if b.state is State.OPEN
        ),
        notices=tuple(_notice(h) for h in holds if h.subject not in workloads),
        faults=tuple(f.show() for f in desired.faults) if desired else (),
    )


def _notice(hold: Hold) -> Notice:
    return Notice(hold.subject, hold.reason, hold.message)


def _workload(
    finding: PlannedCycle, market: Market, memory: WorkloadMemory, about: Mapping[str, list[Notice]]
) -> WorkloadStatus:
    subject: WorkloadId = workload_id(memory.lease)
    lease = market.leases.get(memory.lease)
    left = finding.plan.funding.get(memory.lease)
    return WorkloadStatus(
        id=subject,
        lease=memory.lease,
        adapter=memory.adapter,
        phase=memory.phase,
        lease_state=lease.state if lease else State.INVALID,
        price=lease.price if lease else 0 * market.rules.gas_price,
        billing="usage" if memory.usage_billed else "lease",
        withdrawn=lease.payment.withdrawn if lease else 0,
        settled=_settled(market, lease) if lease else 0,
        funding=left.state if left else Funding.HEALTHY,
        trouble=trouble_of(finding.situation, memory),
        notices=tuple(about.get(subject, ())),
    )


def _settled(market: Market, lease: Lease) -> int:
    side = market.settlements.get(lease.id.order, SettlementSide(None))
    return sum(r.cost for r in side.records if r.settled and r.lease == str(lease.id))
