"""Derives each workload's phase and its lifecycle transitions from observation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.planning.lease_index import (
    ended_leases,
    leases_by_workload,
    observed_inputs,
    unseen_adapters,
)
from reconciler.planning.planning_input import PlanningBasis, PlanningInput
from reconciler.values.desired import Desired
from reconciler.values.ids import LeaseId, WorkloadId, workload_id
from reconciler.values.lifecycle import Phase, steps, trigger
from reconciler.values.memory import Memory, Retry, WorkloadMemory
from reconciler.values.observed import Lease, ObservedWorkload, State, Trouble
from reconciler.values.plans import ApplyWorkload, Transition
from reconciler.values.readings import Seen
from reconciler.values.result_cache import KeyedInput, KeyedInputs
from reconciler.values.same import are_equal
from reconciler.values.subjects import EffectKey, Subject


@dataclass(frozen=True, slots=True)
class Phases:
    """The workloads to remember, and the transitions since the last cycle."""

    workloads: Mapping[WorkloadId, WorkloadMemory]
    transitions: tuple[Transition, ...]


def derive_phases(basis: PlanningBasis) -> Phases:
    """The phase of each of our workloads; unchanged while its lease or adapter is unseen."""
    memory, market, results = basis.memory, basis.market, basis.decisions
    leases = _workloads(basis)
    height = market.height if market is not None else 0
    unconfirmed = market.unconfirmed if market is not None else {}
    by_key = (
        *(KeyedInput(leases), KeyedInput(basis.desired.workloads), KeyedInput(memory.workloads)),
        *(KeyedInput(leases_by_workload(basis)), KeyedInput(dict.fromkeys(ended_leases(basis), height))),
        KeyedInput(unconfirmed, lambda lease, _: (workload_id(lease),)),
        KeyedInput(memory.retries, lambda key, _: (key.subject.name,)),
        *observed_inputs(basis),
    )
    shared = (market is None, bool(basis.desired.commit), *unseen_adapters(basis))
    steps = results.reuse_each(
        "phases", KeyedInputs(leases, by_key, shared), lambda name: _step(basis, name, leases[name])
    )
    workloads = results.reuse_values("workloads to remember", steps, lambda step: step.memory)
    moved = results.reuse_values("transitions", steps, lambda step: step.transitions or None)
    transitions = sorted((each for those in moved.values() for each in those), key=lambda t: t.workload)
    return Phases(
        memory.workloads if are_equal(memory.workloads, workloads) else workloads, tuple(transitions)
    )


@dataclass(frozen=True, slots=True)
class PhaseStep:
    """What to remember of one workload (None: it is forgotten), and its transitions."""

    memory: WorkloadMemory | None
    transitions: Sequence[Transition] = ()


def _step(basis: PlanningBasis, subject: WorkloadId, lease_id: LeaseId) -> PhaseStep | None:
    old = basis.memory.workloads.get(subject)
    new = _next(basis, lease_id)
    if new is None:
        return None
    if old is not None and _is_forgotten(old, new, basis.desired):
        return PhaseStep(None, (_drop_transition(subject, old),))
    return PhaseStep(new, (*_steps(old, new, _details(basis, new)), *_losses(old, new)))


def _workloads(basis: PlanningBasis) -> Mapping[WorkloadId, LeaseId]:
    """The lease of each workload that is remembered, leased, or labelled with one of our leases."""
    leases, remembered = leases_by_workload(basis), basis.memory.workloads
    views = [each.values for each in observed_inputs(basis)]
    return basis.decisions.reuse(
        "known workloads", (leases, remembered, *views), lambda: _leases_of(leases, remembered, views)
    )


def _leases_of(
    leases: Mapping[WorkloadId, Lease],
    remembered: Mapping[WorkloadId, WorkloadMemory],
    views: Iterable[Mapping[WorkloadId, ObservedWorkload]],
) -> Mapping[WorkloadId, LeaseId]:
    found = {name: known.lease for name, known in remembered.items()}
    found |= {name: lease.id for name, lease in leases.items() if lease.state is State.ACTIVE}
    for view in views:
        labelled = {workload_id(each.lease): each.lease for name, each in view.items() if name not in found}
        found |= {name: lease for name, lease in labelled.items() if name in leases}
    return found


def _is_forgotten(old: WorkloadMemory, new: WorkloadMemory, desired: Desired) -> bool:
    """A terminated workload is dropped once its file is deleted."""
    ended = old.phase is Phase.TERMINATED and new.phase is Phase.TERMINATED
    return ended and bool(desired.commit) and workload_id(old.lease) not in desired.workloads


def _drop_transition(subject: WorkloadId, old: WorkloadMemory) -> Transition:
    what, then = "its file was removed", "it is forgotten"
    return Transition(subject, old.lease, Phase.TERMINATED, Phase.TERMINATED, what, then)


def _next(basis: PlanningBasis, lease_id: LeaseId) -> WorkloadMemory | None:
    market = basis.market
    subject = workload_id(lease_id)
    file = basis.desired.workloads.get(subject)
    old = basis.memory.workloads.get(subject)
    adapter = (file.adapter if file else old.adapter if old else "") or _adapter_with(basis, subject)
    known = old or WorkloadMemory(lease_id, adapter, Phase.PENDING)
    verified = (file.manifest_hash if file else "") or known.manifest_hash
    start = known
    if (known.adapter, known.manifest_hash) != (adapter, verified):
        start = replace(known, adapter=adapter, manifest_hash=verified)
    lease = market.leases.get(lease_id) if market else None
    if market is None or lease is None or lease_id in market.unconfirmed:
        return old
    marked = _mark_closed(start, lease, market.height)
    views = [basis.adapters.get(adapter)] if adapter else list(basis.adapters.values())
    found = [view.workloads.view for view in views if view and isinstance(view.workloads, Seen)]
    if len(found) < len(views):
        return marked
    running = next((there[subject] for there in found if subject in there), None)
    refusal = _apply_retry(basis.memory, subject) if running is None else None
    phase = _phase(marked, lease, running, refusal)
    digest, pods, addresses = (running.digest, running.pods, running.addresses) if running else ("", (), ())
    new = replace(marked, phase=phase, digest=digest, pods=pods, addresses=addresses)
    return marked if new == marked else new


def _adapter_with(basis: PlanningBasis, subject: WorkloadId) -> str:
    """The adapter that shows a workload which neither a file nor the memory places; "" if none does."""
    for name, view in sorted(basis.adapters.items()):
        if isinstance(view.workloads, Seen) and subject in view.workloads.view:
            return name
    return ""


def _mark_closed(memory: WorkloadMemory, lease: Lease, height: int) -> WorkloadMemory:
    """Counts closed sightings: a lease seen closed at two rising heights may be removed."""
    if lease.state is State.ACTIVE:
        if not memory.closed_first and memory.usage_billed is lease.usage_billed:
            return memory
        return replace(memory, closed_first=0, closed_again=0, usage_billed=lease.usage_billed)
    if not memory.closed_first or memory.closed_first > height:
        return replace(memory, closed_first=height, closed_again=0)
    if not memory.closed_again and height > memory.closed_first:
        return replace(memory, closed_again=height)
    return memory


def _phase(
    memory: WorkloadMemory, lease: Lease, running: ObservedWorkload | None, refusal: Retry | None
) -> Phase:
    if lease.state is not State.ACTIVE:
        if running is not None:
            return Phase.STOPPING
        return Phase.TERMINATED if memory.closed_again else Phase.STOPPED
    if running is None:
        if refusal is not None:
            return Phase.FAILED
        return Phase.PENDING if memory.phase is Phase.PENDING else Phase.DEPLOYING
    if running.paused and running.replicas_ready == 0:
        return Phase.PAUSED
    if running.ready:
        return Phase.RUNNING
    return Phase.FAILED if running.trouble else Phase.DEPLOYING


def _apply_retry(memory: Memory, subject: WorkloadId) -> Retry | None:
    return memory.retries.get(EffectKey(ApplyWorkload.__name__, Subject.of_workload(subject)))


def trouble_of(known: PlanningInput | PlanningBasis, memory: WorkloadMemory) -> Trouble | None:
    """Why a workload is unhealthy: as its adapter shows, else why applying it failed."""
    view = known.adapters.get(memory.adapter)
    subject = workload_id(memory.lease)
    if view is not None and isinstance(view.workloads, Seen):
        running = view.workloads.view.get(subject)
        if running is not None:
            return running.trouble
    retry = _apply_retry(known.memory, subject)
    return Trouble(retry.reason, retry.why, retry.advice) if retry else None


CLOSED = {
    "lease_closed_owner": "closed by its tenant",
    "lease_closed_reason_insufficient_funds": "its funds ran out",
    "lease_closed_reason_unstable": "closed by us: unstable",
    "lease_closed_reason_decommission": "closed by us: decommissioned",
    "lease_closed_reason_manifest_timeout": "closed by us: it never ran",
}
"""Descriptions of the chain's close reasons (semantics 3.8), which only events carry; others have none."""


def _details(basis: PlanningBasis, memory: WorkloadMemory) -> Mapping[Phase, str]:
    """New phase -> detail of the transition, beside its trigger."""
    found: dict[Phase, str] = {}
    if memory.phase is Phase.FAILED and (trouble := trouble_of(basis, memory)):
        found[Phase.FAILED] = f"{trouble.reason}: {trouble.message}"
    lease = basis.market.leases.get(memory.lease) if basis.market else None
    if lease is not None and (why := CLOSED.get(lease.closed_reason)):
        found[Phase.STOPPING] = why
    return found


LOSSES_NAMED = 3


def _losses(old: WorkloadMemory | None, new: WorkloadMemory) -> list[Transition]:
    """Pods lost without a change of specification: deleted by someone else, or lost with their node.
    The cluster replaces them itself.
    """
    if old is None or not new.digest or old.digest != new.digest or new.phase in _ENDING:
        return []
    lost = [name for name in old.pods if name not in new.pods]
    if not lost:
        return []
    more = f" and {len(lost) - LOSSES_NAMED} more" if len(lost) > LOSSES_NAMED else ""
    what = f"pod {', '.join(lost[:LOSSES_NAMED])}{more} was removed by someone else"
    healed = "a replacement is running" if new.phase is Phase.RUNNING else "a replacement is starting"
    return [Transition(workload_id(new.lease), new.lease, new.phase, new.phase, what, healed)]


_ENDING = frozenset({Phase.PAUSED, Phase.STOPPING, Phase.STOPPED, Phase.TERMINATED})


def _steps(old: WorkloadMemory | None, new: WorkloadMemory, details: Mapping[Phase, str]) -> list[Transition]:
    if old is not None and old.phase is new.phase:
        return []
    subject = workload_id(new.lease)
    made: list[Transition] = []
    here = Phase.PENDING
    if old is None:
        made.append(Transition(subject, new.lease, here, here, "Lease created"))
    else:
        here = old.phase
    for there in steps(here, new.phase):
        detail = details.get(there, "")
        made.append(Transition(subject, new.lease, here, there, trigger(here, there), detail))
        here = there
    return made
