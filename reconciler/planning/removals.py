"""Removals: of workloads whose lease has ended, and of copies that moved to another adapter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.planning.planning_input import MarketBasis, PlanningBasis
from reconciler.planning.retries import retry_hold
from reconciler.planning.volumes import stateful_workloads
from reconciler.values.adapters import adapter_path
from reconciler.values.ids import LeaseId, WorkloadId
from reconciler.values.observed import ObservedWorkload, State
from reconciler.values.plans import ApplyWorkload, Hold, Reason, RemoveWorkload
from reconciler.values.readings import Seen, Unseen
from reconciler.values.result_cache import KeyedInput, KeyedInputs
from reconciler.values.subjects import Subject
from reconciler.values.work import WorkKey


def plan_removals(basis: MarketBasis, leased: Mapping[WorkloadId, object]) -> Iterator[RemoveWorkload | Hold]:
    """Remove workloads whose lease was seen closed at two rising heights, and those that moved to another
    adapter; never while the chain is unseen, never more than the ceiling.
    """
    removed = 0
    for name, view in sorted(basis.adapters.items()):
        if isinstance(view.workloads, Unseen):
            continue
        ended = {
            subject: lease
            for subject, lease in _removable(basis, name, _elsewhere(basis, name, leased))
            if subject not in leased or _has_moved(basis, name, subject)
        }
        for subject, lease in sorted(ended.items()):
            decision = _removal(basis, name, subject, lease)
            if isinstance(decision, RemoveWorkload):
                removed += 1
                if removed > basis.limits.removals_per_cycle:
                    most = basis.limits.removals_per_cycle
                    why = (
                        f"removals_per_cycle of the host file ({most}) is reached; removed in the next cycle"
                    )
                    decision = Hold(Subject.of_workload(subject), Reason.CEILING, why, ours=True)
            if decision is not None:
                yield decision


def _elsewhere(
    basis: PlanningBasis, adapter: str, leased: Mapping[WorkloadId, object]
) -> Mapping[WorkloadId, ObservedWorkload]:
    """The workloads on an adapter that have no lease, or whose file names another adapter."""
    reading, files = basis.adapters[adapter].workloads, basis.desired.workloads
    observed = reading.view if isinstance(reading, Seen) else {}

    def elsewhere(subject: WorkloadId) -> ObservedWorkload | None:
        file = files.get(subject)
        is_here = subject in leased and (file is None or file.adapter == adapter)
        return None if is_here else observed[subject]

    inputs = KeyedInputs(observed, (KeyedInput(observed), KeyedInput(files), KeyedInput(leased)))
    return basis.decisions.reuse_each(("elsewhere", adapter), inputs, elsewhere)


def _removable(
    basis: MarketBasis, adapter: str, observed: Mapping[WorkloadId, ObservedWorkload]
) -> Iterator[tuple[WorkloadId, LeaseId]]:
    """What exists on the adapter, or is being applied there, and is not being removed."""
    for key, action in basis.in_flight.items():
        if key.target == adapter and isinstance(action, ApplyWorkload):
            yield action.workload.id, action.workload.lease
    for each in observed.values():
        in_flight = basis.in_flight.get(WorkKey(adapter, each.id)) if basis.in_flight else None
        if not each.removing and not isinstance(in_flight, RemoveWorkload):
            yield each.id, each.lease


def _has_moved(basis: MarketBasis, adapter: str, subject: WorkloadId) -> bool:
    """Whether it is healthy on the adapter of its file, so that this copy is obsolete; not if both adapters
    show the same objects, as two that reach one machine under two addresses do.
    """
    workload = basis.desired.workloads.get(subject)
    other = basis.adapters.get(workload.adapter) if workload and workload.adapter != adapter else None
    if other is None or isinstance(other.workloads, Unseen):
        return False
    running = other.workloads.view.get(subject)
    copy = _observed(basis, adapter, subject)
    if running is None or (copy is not None and set(copy.uids) & set(running.uids)):
        return False
    return running.ready or running.paused


def _observed(basis: PlanningBasis, adapter: str, subject: WorkloadId) -> ObservedWorkload | None:
    reading = basis.adapters[adapter].workloads
    return reading.view.get(subject) if isinstance(reading, Seen) else None


def _removal(
    basis: MarketBasis, adapter: str, subject: WorkloadId, lease_id: LeaseId
) -> RemoveWorkload | Hold | None:
    market = basis.market
    lease = market.leases.get(lease_id)
    settings = basis.desired.adapters.get(adapter)
    if settings is not None and not settings.enabled:
        why = f"{adapter_path(adapter)} says enabled: false, so it is not removed"
        return Hold(Subject.of_workload(subject), Reason.ADAPTER_UNKNOWN, why, ours=True)
    if lease is None:
        why = f"the chain has no lease {lease_id}; if that is correct, remove the workload by hand"
        return Hold(Subject.of_workload(subject), Reason.LEASE_NOT_FOUND, why, ours=True)
    if (doubt := market.unconfirmed.get(lease_id)) is not None:
        why = f"its lease is {lease.state} on one node only: {doubt}; the workload keeps running"
        return Hold(Subject.of_workload(subject), Reason.UNCONFIRMED_BY_WITNESS, why, ours=True)
    moved = lease.state is State.ACTIVE
    known = basis.memory.workloads.get(subject)
    if not moved and (known is None or not known.closed_again):
        why = "its lease is closed; removed when the next height shows it too"
        return Hold(Subject.of_workload(subject), Reason.AWAITING_HEIGHT, why)
    if moved and subject in stateful_workloads(basis.adapters[adapter]):
        why = (
            f"its persistent volumes are on adapter {adapter}, but it runs on another adapter: they are not "
            f"deleted before its lease is closed; name adapter {adapter} in the file again to use them"
        )
        return Hold(Subject.of_workload(subject), Reason.VOLUMES_DIFFER, why, ours=True)
    why = "it runs on another adapter now" if moved else "its lease is closed"
    action = RemoveWorkload(adapter, subject, why)
    return retry_hold(basis.memory, action, Subject.of_workload(subject), basis.now) or action
