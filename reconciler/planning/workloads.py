"""Workloads: the lease decides whether one exists, its file decides its specification."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from functools import lru_cache

from reconciler.planning.capacity.headroom import unseen_reason
from reconciler.planning.decision_cache import readings_of
from reconciler.planning.planning_input import MarketBasis, PlanningBasis
from reconciler.planning.retries import retry_hold
from reconciler.planning.revisions.adapter_grants import secret_denial
from reconciler.values.adapters import adapter_path
from reconciler.values.approvals import list_names
from reconciler.values.desired import Desired, Workload
from reconciler.values.ids import LeaseId, WorkloadId, workload_id
from reconciler.values.images import denied_by
from reconciler.values.observed import AdapterView, ObservedWorkload, State
from reconciler.values.plans import Action, ApplyWorkload, Hold, PrepareAdapter, Reason, RemoveWorkload
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import total
from reconciler.values.subjects import Subject
from reconciler.values.work import WorkKey

RENDERING = 2
"""Part of every digest; raised when adapters render specifications differently, so that running workloads are
applied again; `tests/adapters/test_rendering.py` notices a change.
"""


@lru_cache(maxsize=1 << 15)
def digest_of(workload: Workload) -> str:
    """The digest of a workload's specification: everything but its adapter's name and its close request, so
    that a renamed adapter restarts nothing.
    """
    parts = (RENDERING, workload.id, workload.lease, workload.services, workload.paused, workload.rendering)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def plan_workloads(basis: PlanningBasis) -> list[Action | Hold]:
    """Apply leased workloads that differ, remove those seen closed twice, and hold unclear cases."""
    market, memory, limits = basis.market, basis.memory, basis.limits
    inputs: tuple[object, ...] = (
        *(basis.desired, memory.workloads, limits.grants, limits.removals_per_cycle),
        *(memory.retries, basis.now if memory.retries else 0, basis.in_flight or None),
        *((market.leases, *market.unconfirmed.items()) if market else ()),
        *readings_of(basis.adapters),
    )
    return [*basis.decisions.reuse("workloads", inputs, lambda: _plan_workloads(basis))]


def _plan_workloads(basis: PlanningBasis) -> list[Action | Hold]:
    decisions: list[Action | Hold] = []
    for name, view in sorted(basis.adapters.items()):
        if isinstance(view.workloads, Unseen):
            decisions.append(
                Hold(Subject.of_adapter(name), unseen_reason(view.workloads), view.workloads.why, ours=True)
            )
        for each in view.unavailable_machines:
            why = f"{each.reason}: {each.message}; {each.advice}"
            decisions.append(Hold(Subject.of_adapter(name), Reason.CLUSTER_UNSEEN, why, ours=True))
        decisions.extend(_prepare(basis, name, view))
    decisions.extend(_missing_adapters(basis))
    leased = _leased(basis)
    for workload in leased:
        decisions.extend(_plan_workload(basis, workload, may_start=basis.market is not None))
    for workload in _unconfirmed_leases(basis) - leased:
        decisions.extend(_plan_workload(basis, workload, may_start=False))
    if isinstance(basis, MarketBasis):
        decisions.extend(_remove(basis, leased))
        decisions.extend(_files_without_lease(basis, leased))
    return decisions


def _leased(basis: PlanningBasis) -> Set[WorkloadId]:
    """Workloads of active leases; while the chain is unseen, of leases last seen active, to repair them."""
    if basis.market is not None:
        return {workload_id(x.id) for x in basis.market.leases.values() if x.state is State.ACTIVE}
    return {name for name, w in basis.memory.workloads.items() if not w.closed_first}


def _unconfirmed_leases(basis: PlanningBasis) -> Set[WorkloadId]:
    """Workloads whose lease ended on one node but not on the witness: they are repaired."""
    if basis.market is None:
        return frozenset()
    known = basis.memory.workloads
    doubtful = {workload_id(lease) for lease in basis.market.unconfirmed}
    return {name for name in doubtful if name in known and not known[name].closed_again}


def _prepare(basis: PlanningBasis, name: str, view: AdapterView) -> Iterator[PrepareAdapter]:
    if isinstance(view.capacity, Seen) and view.capacity.view.quota != view.capacity.view.total:
        action = PrepareAdapter(name, view.capacity.view.total)
        if basis.in_flight.get(WorkKey(name, "")) != action:
            yield action


@dataclass(frozen=True, slots=True)
class WorkloadPair:
    """A workload's file, the adapter's view of it, and the action in flight on it."""

    workload: Workload
    running: ObservedWorkload | None
    in_flight: Action | None = None

    @property
    def is_in_flight(self) -> bool:
        """Whether this very specification is being applied."""
        flying = self.in_flight
        return isinstance(flying, ApplyWorkload) and flying.digest == digest_of(self.workload)

    @property
    def is_being_removed(self) -> bool:
        """Whether its objects are being removed, or a removal is in flight."""
        removing = self.running is not None and self.running.removing
        return removing or isinstance(self.in_flight, RemoveWorkload)


def _plan_workload(basis: PlanningBasis, subject: WorkloadId, *, may_start: bool) -> Iterator[Action | Hold]:
    workload = basis.desired.workloads.get(subject)
    if workload is None:
        yield _no_file(basis.desired, subject)
        return
    if refusal := _file_hold(basis, workload):
        yield refusal
        return
    if workload.paused:
        why = "paused; the tenant is still charged for the lease, but not for usage"
        yield Hold(Subject.of_workload(subject), Reason.PAUSED_STILL_PAID, why, ours=True)
    reading = basis.adapters[workload.adapter].workloads
    if isinstance(reading, Unseen):
        yield Hold(Subject.of_workload(subject), unseen_reason(reading), reading.why, ours=True)
        return
    in_flight = basis.in_flight.get(WorkKey(workload.adapter, subject))
    pair = WorkloadPair(workload, reading.view.get(subject), in_flight)
    if pair.is_in_flight:
        return
    if not may_start and (wait := _repair_hold(basis, pair)):
        yield wait
        return
    yield from _apply(basis, pair)


def _repair_hold(basis: PlanningBasis, pair: WorkloadPair) -> Hold | None:
    """Why a workload is not repaired while the chain is unseen: existing workloads are repaired, none is
    started. On plain hosts, which do not repair by themselves, a vanished workload counts as one that ran.
    """
    subject = pair.workload.id
    if pair.running is None:
        known = basis.memory.workloads.get(subject)
        ran = known is not None and known.digest == digest_of(pair.workload)
        settings = basis.desired.adapters.get(pair.workload.adapter)
        if ran and settings is not None and not settings.is_self_healing:
            return None
        return Hold(
            Subject.of_workload(subject),
            Reason.CHAIN_UNSEEN,
            "not started while the chain is unseen",
            ours=True,
        )
    if pair.running.digest != digest_of(pair.workload):
        why = "its changed file waits until the chain is seen: its lease may have ended, or grant less"
        return Hold(Subject.of_workload(subject), Reason.CHAIN_UNSEEN, why, ours=True)
    return None


def _no_file(desired: Desired, subject: WorkloadId) -> Hold:
    if not desired.commit:
        why = "no revision of the repository is known; running workloads continue"
        return Hold(Subject.of_workload(subject), Reason.REPOSITORY_UNSEEN, why, ours=True)
    path = f"workloads/{subject}.yaml"
    faults = [f for f in desired.faults if f.path == path and not f.warning]
    if faults:
        return Hold(Subject.of_workload(subject), Reason.FILE_FAULTY, faults[0].describe(), ours=True)
    return Hold(
        Subject.of_workload(subject),
        Reason.NO_WORKLOAD_FILE,
        f"its lease is active; commit {path} to run it",
        ours=True,
    )


def _file_hold(basis: PlanningBasis, workload: Workload) -> Hold | None:
    """Why a workload's file cannot be applied."""
    if why := _unknown(basis, workload.adapter):
        return Hold(Subject.of_workload(workload.id), Reason.ADAPTER_UNKNOWN, why, ours=True)
    granted = basis.limits.grants.secrets
    if not workload.paused and (denial := secret_denial(workload, granted)):
        return Hold(Subject.of_workload(workload.id), Reason.SECRET_DENIED, denial, ours=True)
    patterns = basis.desired.config.images_denied if basis.desired.config else ()
    for service in workload.services if patterns else ():
        if denied := denied_by(service.image, patterns):
            why = f"image {service.image} of service {service.name} is denied by {denied} in config.yaml"
            return Hold(Subject.of_workload(workload.id), Reason.IMAGE_DENIED, why, ours=True)
    return None


def _unknown(basis: PlanningBasis, adapter: str) -> str:
    """Why a workload's adapter does not exist or is disabled."""
    known = ", ".join(sorted(basis.adapters)) or "none"
    settings = basis.desired.adapters.get(adapter)
    if not adapter:
        return "no adapter is configured; add a file in adapters/, and its entry in the host file"
    if settings is not None and not settings.enabled:
        return f"{adapter_path(adapter)} says enabled: false"
    if adapter in basis.adapters:
        return ""
    if settings is None and basis.desired.commit:
        return f"there is no {adapter_path(adapter)} without errors; configured adapters: {known}"
    return f"adapter {adapter} is not configured on this host; configured: {known}"


def _missing_adapters(basis: PlanningBasis) -> Iterator[Hold]:
    """Holds on adapters that have no file any more, and on which workloads ran last."""
    there: dict[str, list[WorkloadId]] = {}
    for subject, known in basis.memory.workloads.items() if basis.desired.commit else ():
        if known.digest and known.adapter not in basis.desired.adapters.keys() | basis.adapters.keys():
            there.setdefault(known.adapter, []).append(subject)
    for name, subjects in sorted(there.items()):
        why = (
            f"there is no {adapter_path(name)} without errors, but {len(subjects)} workloads last ran there "
            f"({list_names(sorted(subjects))}); they are neither repaired nor removed; restore the file, or "
            "name another adapter in theirs and remove what is left"
        )
        yield Hold(Subject.of_adapter(name), Reason.ADAPTER_UNKNOWN, why, ours=True)


def _excess(basis: PlanningBasis, workload: Workload) -> Hold | None:
    """Requests beyond the lease; an unchanged running workload was checked when it was applied."""
    if basis.market is None:
        return None
    lease = basis.market.leases.get(workload.lease)
    granted = total([u.all for u in lease.units]) if lease else None
    if granted is None or not (short := granted.lacks(workload.resources)):
        return None
    asked = workload.resources.describe()
    why = f"requests {asked}, its lease grants {granted.describe()}: too much {', '.join(short)}"
    return Hold(Subject.of_workload(workload.id), Reason.ASKS_TOO_MUCH, why, ours=True)


def _apply(basis: PlanningBasis, pair: WorkloadPair) -> Iterator[Action | Hold]:
    workload = pair.workload
    if pair.is_being_removed:
        yield Hold(
            Subject.of_workload(workload.id),
            Reason.TRY_LATER,
            "its former objects are still being removed",
            ours=True,
        )
        return
    why = _difference(pair)
    if not why:
        return
    if refusal := _excess(basis, workload):
        yield refusal
        return
    action = ApplyWorkload(workload, digest_of(workload), why)
    yield retry_hold(basis.memory, action, Subject.of_workload(workload.id), basis.now) or action


def _difference(pair: WorkloadPair) -> str:
    workload, running = pair.workload, pair.running
    if isinstance(pair.in_flight, ApplyWorkload):
        return "its file changed"  # an earlier specification is being applied
    if running is None:
        return "leased, not deployed"
    if running.digest != digest_of(workload):
        if running.digest == digest_of(replace(workload, paused=not workload.paused)):
            return "paused in git" if workload.paused else "resumed in git"
        return "its file changed"
    return "changed by someone else" if running.drifted else ""


def _remove(basis: MarketBasis, leased: Set[WorkloadId]) -> Iterator[Action | Hold]:
    """Remove workloads whose lease was seen closed at two rising heights, and those that moved to another
    adapter; never while the chain is unseen, never more than the ceiling.
    """
    removed = 0
    for name, view in sorted(basis.adapters.items()):
        if isinstance(view.workloads, Unseen):
            continue
        ended = {
            subject: lease
            for subject, lease in _removable(basis, name, view.workloads.view)
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


def _removable(
    basis: MarketBasis, adapter: str, observed: Mapping[WorkloadId, ObservedWorkload]
) -> Iterator[tuple[WorkloadId, LeaseId]]:
    """What exists on the adapter, or is being applied there, and is not being removed."""
    for key, action in basis.in_flight.items():
        if key.target == adapter and isinstance(action, ApplyWorkload):
            yield action.workload.id, action.workload.lease
    for each in observed.values():
        flying = basis.in_flight.get(WorkKey(adapter, each.id)) if basis.in_flight else None
        if not each.removing and not isinstance(flying, RemoveWorkload):
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
    why = "it runs on another adapter now" if moved else "its lease is closed"
    action = RemoveWorkload(adapter, subject, why)
    return retry_hold(basis.memory, action, Subject.of_workload(subject), basis.now) or action


def _files_without_lease(basis: MarketBasis, leased: Set[WorkloadId]) -> Iterator[Hold]:
    """Holds on files whose lease is not active."""
    for workload in basis.desired.workloads.values():
        if workload.id not in leased:
            lease = basis.market.leases.get(workload.lease)
            why = f"its lease is {lease.state}" if lease else "the chain shows no such lease of this provider"
            advice = f"{why}; delete {workload.path or workload.id} to remove the workload from the lists"
            yield Hold(Subject.of_workload(workload.id), Reason.FILE_WITHOUT_LEASE, advice, ours=True)
