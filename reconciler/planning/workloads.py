"""Workloads: the lease decides whether one exists, its file decides its specification."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache

from reconciler.planning.adapter_features import missing_features, provided_features
from reconciler.planning.capacity.headroom import unseen_reason
from reconciler.planning.host_names import host_name_holds
from reconciler.planning.lease_index import (
    active_leases,
    leases_by_workload,
    observed_inputs,
    unseen_adapters,
)
from reconciler.planning.planning_input import MarketBasis, PlanningBasis
from reconciler.planning.removals import plan_removals
from reconciler.planning.retries import retry_hold
from reconciler.planning.revisions.adapter_grants import secret_denial, start_denial
from reconciler.planning.specifications import (
    accepted_manifests,
    awaited_manifest,
    manifest_branch_holds,
    manifest_conditions,
    missing_specification,
    sealed_hold,
)
from reconciler.planning.volumes import kept_volume_holds, other_adapter, volume_change, volumes_elsewhere
from reconciler.values.adapters import adapter_path
from reconciler.values.approvals import list_names
from reconciler.values.desired import Workload
from reconciler.values.features import describe_needs
from reconciler.values.funding import HEALTHY
from reconciler.values.ids import WorkloadId, workload_id
from reconciler.values.images import denied_by
from reconciler.values.observed import AdapterView, ObservedWorkload
from reconciler.values.plans import Action, ApplyWorkload, Hold, PrepareAdapter, Reason, RemoveWorkload
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import classes_beyond, total
from reconciler.values.result_cache import KeyedInput, KeyedInputs
from reconciler.values.subjects import Subject
from reconciler.values.work import WorkKey

RENDERING = 4
"""Part of every digest; raised when adapters render specifications differently, so that running workloads are
applied again; `tests/adapters/test_rendering.py` notices a change.
"""


@lru_cache(maxsize=1 << 15)
def digest_of(workload: Workload) -> str:
    """The digest of a workload's specification: everything but its adapter's name and its close request, so
    that a renamed adapter restarts nothing.
    """
    content = workload.manifest_hash or workload.services  # a manifest's secrets are in its hash alone
    parts = (RENDERING, workload.id, workload.lease, content, workload.paused, workload.rendering)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def plan_workloads(basis: PlanningBasis) -> list[Action | Hold]:
    """Apply leased workloads that differ, remove those seen closed twice, and hold unclear cases."""
    decisions: list[Action | Hold] = []
    for name, view in sorted(basis.adapters.items()):
        if isinstance(view.workloads, Unseen):
            decisions.append(
                Hold(Subject.of_adapter(name), unseen_reason(view.workloads), view.workloads.why, ours=True)
            )
        for each in view.unavailable_machines:
            why = f"{each.reason}: {each.message}; {each.advice}"
            decisions.append(Hold(Subject.of_adapter(name), Reason.CLUSTER_UNSEEN, why, ours=True))
        if isinstance(view.capacity, Unseen) and view.capacity.reason == Reason.NETWORK_POLICY_MISSING:
            why = view.capacity.why
            decisions.append(Hold(Subject.of_adapter(name), Reason.NETWORK_POLICY_MISSING, why, ours=True))
        decisions.extend(_prepare(basis, name, view))
    decisions.extend(_missing_adapters(basis))
    decisions.extend(manifest_branch_holds(basis))
    decisions.extend(kept_volume_holds(basis))
    leased = _leased(basis)
    for decided in _by_workload(basis, leased).values():
        decisions.extend(decided)
    if isinstance(basis, MarketBasis):
        decisions.extend(plan_removals(basis, leased))
        decisions.extend(_files_without_lease(basis, leased))
    return decisions


def _by_workload(
    basis: PlanningBasis, leased: Mapping[WorkloadId, object]
) -> Mapping[WorkloadId, Sequence[Action | Hold]]:
    """The decisions about each leased workload, if there are any."""
    doubtful, is_seen = _unconfirmed_leases(basis) - leased.keys(), basis.market is not None
    may_start = basis.decisions.reuse(
        "workloads that may start",
        (leased, is_seen, *sorted(doubtful)),
        lambda: dict.fromkeys(sorted(doubtful), False) | dict.fromkeys(leased, is_seen),
    )
    desired, memory = basis.desired, basis.memory
    hosts = host_name_holds(basis)
    by_key = (
        KeyedInput(hosts),
        *(KeyedInput(may_start), KeyedInput(desired.workloads), KeyedInput(leases_by_workload(basis))),
        *(KeyedInput(memory.workloads), KeyedInput(memory.retries, lambda key, _: (key.subject.name,))),
        KeyedInput(dict.fromkeys(memory.retries, basis.now), lambda key, _: (key.subject.name,)),
        KeyedInput({workload_id(lease): True for lease in basis.funding.unpaid()}),
        KeyedInput(basis.in_flight, lambda key, _: (key.name,)),
        KeyedInput(accepted_manifests(basis)),
        KeyedInput(volumes_elsewhere(basis)),
        *observed_inputs(basis),
    )
    shared = (
        *(bool(desired.commit), desired.config, desired.adapters, desired.faults),
        *manifest_conditions(basis),
        *(basis.limits.grants.secrets, provided_features(basis), *unseen_adapters(basis)),
    )

    def decide(subject: WorkloadId) -> Sequence[Action | Hold] | None:
        return tuple(_plan_workload(basis, subject, hosts, may_start=may_start[subject])) or None

    return basis.decisions.reuse_each("workloads", KeyedInputs(may_start, by_key, shared), decide)


def _leased(basis: PlanningBasis) -> Mapping[WorkloadId, object]:
    """Workloads of active leases; while the chain is unseen, of leases last seen active, to repair them."""
    if basis.market is not None:
        return active_leases(basis)
    known = basis.memory.workloads
    return basis.decisions.reuse(
        "leases last seen", (known,), lambda: {name: w for name, w in known.items() if not w.closed_first}
    )


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
        in_flight = self.in_flight
        return isinstance(in_flight, ApplyWorkload) and in_flight.digest == digest_of(self.workload)

    @property
    def is_being_removed(self) -> bool:
        """Whether its objects are being removed, or a removal is in flight."""
        removing = self.running is not None and self.running.removing
        return removing or isinstance(self.in_flight, RemoveWorkload)


def _plan_workload(
    basis: PlanningBasis, subject: WorkloadId, hosts: Mapping[WorkloadId, Hold], *, may_start: bool
) -> Iterator[Action | Hold]:
    workload = basis.desired.workloads.get(subject)
    if workload is None or not (workload.services or workload.paused):
        yield missing_specification(basis, subject)
        return
    if awaited := awaited_manifest(basis, workload):
        yield awaited
    refusal = _file_hold(basis, workload) or (None if workload.paused else hosts.get(subject))
    if refusal:
        yield refusal
        return
    if workload.paused and not basis.funding.get(workload.lease, HEALTHY).is_unpaid:
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
    if (wait := _start_hold(basis, pair)) or (not may_start and (wait := _repair_hold(basis, pair))):
        yield wait
        return
    yield from _apply(basis, pair)


def _start_hold(basis: PlanningBasis, pair: WorkloadPair) -> Hold | None:
    """Why a workload is neither started nor changed on its adapter; as it runs, it is repaired."""
    workload, running = pair.workload, pair.running
    if workload.paused or (running is not None and running.digest == digest_of(workload)):
        return None
    denial = start_denial(workload.adapter, basis.desired.adapters.get(workload.adapter))
    if not denial:
        return None
    return Hold(Subject.of_workload(workload.id), Reason.NETWORK_POLICY_MISSING, denial, ours=True)


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


def _file_hold(basis: PlanningBasis, workload: Workload) -> Hold | None:
    """Why a workload's file cannot be applied; a paused one runs nothing, so that anything can be paused."""
    if why := _unknown(basis, workload.adapter):
        return Hold(Subject.of_workload(workload.id), Reason.ADAPTER_UNKNOWN, why, ours=True)
    if workload.paused:
        return None
    if denial := secret_denial(workload, basis.limits.grants.secrets):
        return Hold(Subject.of_workload(workload.id), Reason.SECRET_DENIED, denial, ours=True)
    patterns = basis.desired.config.images_denied if basis.desired.config else ()
    for service in workload.services if patterns else ():
        if denied := denied_by(service.image, patterns):
            why = f"image {service.image} of service {service.name} is denied by {denied} in config.yaml"
            return Hold(Subject.of_workload(workload.id), Reason.IMAGE_DENIED, why, ours=True)
    return sealed_hold(basis, workload) or _unsupported(basis, workload)


def _unsupported(basis: PlanningBasis, workload: Workload) -> Hold | None:
    """What the file needs and its adapter lacks: nothing of a file is left out when it runs."""
    missing = missing_features(basis, workload)
    if not missing:
        return None
    why = f"adapter {workload.adapter} does not provide: {describe_needs(missing)}"
    return Hold(Subject.of_workload(workload.id), Reason.UNSUPPORTED, why, ours=True)


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
    names = basis.desired.adapters.keys() | basis.adapters.keys()
    by_adapter = _last_ran(basis) if basis.desired.commit else {}
    for name, subjects in sorted((name, those) for name, those in by_adapter.items() if name not in names):
        why = (
            f"there is no {adapter_path(name)} without errors, but {len(subjects)} workloads last ran there "
            f"({list_names(sorted(subjects))}); they are neither repaired nor removed; restore the file, or "
            "name another adapter in theirs and remove what is left"
        )
        yield Hold(Subject.of_adapter(name), Reason.ADAPTER_UNKNOWN, why, ours=True)


def _last_ran(basis: PlanningBasis) -> Mapping[str, Sequence[WorkloadId]]:
    """The workloads that ran last on each adapter."""
    known = basis.memory.workloads

    def by_adapter() -> Mapping[str, Sequence[WorkloadId]]:
        found: dict[str, list[WorkloadId]] = {}
        for subject, each in known.items():
            if each.digest:
                found.setdefault(each.adapter, []).append(subject)
        return found

    return basis.decisions.reuse("workloads by adapter", (known,), by_adapter)


def _excess(basis: PlanningBasis, workload: Workload) -> Hold | None:
    """Requests beyond the lease; an unchanged running workload was checked when it was applied, and a paused
    one requests nothing.
    """
    if basis.market is None or workload.paused:
        return None
    lease = basis.market.leases.get(workload.lease)
    granted = total([u.all for u in lease.units]) if lease else None
    if granted is None:
        return None
    wanted = workload.resources
    if not (short := granted.lacks(wanted) or classes_beyond(granted, wanted)):
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
    if workload.paused and basis.funding.get(workload.lease, HEALTHY).is_unpaid:
        why = "stopped, as nothing pays for its usage"
    if pair.running is None and (elsewhere := volumes_elsewhere(basis).get(workload.id)):
        yield other_adapter(workload, elsewhere)
        return
    if refusal := volume_change(workload, pair.running) or _excess(basis, workload):
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


def _files_without_lease(basis: MarketBasis, leased: Mapping[WorkloadId, object]) -> Iterator[Hold]:
    """Holds on files whose lease is not active."""
    files = basis.desired.workloads
    inputs = KeyedInputs(files, (KeyedInput(files), KeyedInput(leased)))
    without = basis.decisions.reuse_each(
        "files without a lease", inputs, lambda name: None if name in leased else files[name]
    )
    for _, workload in sorted(without.items()):
        lease = basis.market.leases.get(workload.lease)
        why = f"its lease is {lease.state}" if lease else "the chain shows no such lease of this provider"
        advice = f"{why}; delete {workload.path or workload.id} to remove the workload from the lists"
        yield Hold(Subject.of_workload(workload.id), Reason.FILE_WITHOUT_LEASE, advice, ours=True)
