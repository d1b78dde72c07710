"""Derives each workload's phase and its lifecycle transitions from observation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.planning.decision_cache import readings_of
from reconciler.planning.planning_input import PlanningBasis, PlanningInput
from reconciler.values.desired import Desired
from reconciler.values.ids import LeaseId, WorkloadId, workload_id
from reconciler.values.lifecycle import Phase, steps, trigger
from reconciler.values.memory import Memory, Retry, WorkloadMemory
from reconciler.values.observed import Lease, Market, ObservedWorkload, State, Trouble
from reconciler.values.plans import ApplyWorkload, Transition
from reconciler.values.readings import Seen
from reconciler.values.subjects import EffectKey, Subject


@dataclass(frozen=True, slots=True)
class Phases:
    """The workloads to remember, and the transitions since the last cycle."""

    workloads: Mapping[WorkloadId, WorkloadMemory]
    transitions: tuple[Transition, ...]


def derive_phases(basis: PlanningBasis) -> Phases:
    """The phase of each of our workloads; unchanged while its lease or adapter is unseen."""
    market, memory = basis.market, basis.memory
    inputs: tuple[object, ...] = (basis.desired, memory.workloads, memory.retries)
    if market is not None:
        counts_heights = basis.decisions.reuse("ended leases", (market.leases,), lambda: _has_ended(market))
        inputs += (market.leases, *market.unconfirmed.items(), market.height if counts_heights else 0)
    inputs += tuple(readings_of(basis.adapters))
    return basis.decisions.reuse("phases", inputs, lambda: _derive(basis))


def _has_ended(market: Market) -> bool:
    """Whether a lease has ended."""
    return any(lease.state is not State.ACTIVE for lease in market.leases.values())


def _derive(basis: PlanningBasis) -> Phases:
    workloads: dict[WorkloadId, WorkloadMemory] = {}
    transitions: list[Transition] = []
    before = basis.memory.workloads
    for subject, lease_id in _workloads(basis).items():
        old = before.get(subject)
        new = _next(basis, lease_id)
        if new is None:
            continue
        if old is not None and _is_forgotten(old, new, basis.desired):
            transitions.append(_drop_transition(subject, old))
            continue
        transitions.extend(_steps(old, new, _details(basis, new)))
        transitions.extend(_losses(old, new))
        workloads[subject] = new
    transitions.sort(key=lambda t: t.workload)
    return Phases(before if workloads == before else workloads, tuple(transitions))


def _workloads(basis: PlanningBasis) -> Mapping[WorkloadId, LeaseId]:
    found = {name: w.lease for name, w in basis.memory.workloads.items()}
    market = basis.market
    if market is not None:
        found |= {workload_id(x.id): x.id for x in market.leases.values() if x.state is State.ACTIVE}
        for running in _labelled(basis):
            if running.id not in found and running.lease in market.leases:
                found[workload_id(running.lease)] = running.lease
    return found


def _labelled(basis: PlanningBasis) -> Iterable[ObservedWorkload]:
    for view in basis.adapters.values():
        if isinstance(view.workloads, Seen):
            yield from view.workloads.view.values()


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
    start = known if known.adapter == adapter else replace(known, adapter=adapter)
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
    digest, pods = (running.digest, running.pods) if running else ("", ())
    if (marked.phase, marked.digest, marked.pods) == (phase, digest, pods):
        return marked
    return replace(marked, phase=phase, digest=digest, pods=pods)


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
