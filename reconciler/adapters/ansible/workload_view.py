"""What hosts show, what is under way and what went wrong, put together to workloads; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.adapters.ansible.answers import HostWorkloadAnswer
from reconciler.adapters.ansible.jobs import Job, Key
from reconciler.adapters.ansible.placements import Placement
from reconciler.adapters.ansible.troubles import trouble_of
from reconciler.values.ids import LeaseId, WorkloadId, workload_id
from reconciler.values.observed import Running, Trouble

HOST_GONE = "HostGone"
"""Of a host that adapters/ansible.yaml does not name any more."""


@dataclass(frozen=True, slots=True)
class RunEnd:
    """A job that ended without a word of its host: what was asked, why, and whether it may be asked again."""

    job: Job
    trouble: Trouble
    count: int
    due_at: float


@dataclass(frozen=True, slots=True)
class FleetObservation:
    """All that a workload's state is read from. `seen` are hosts' workloads as they showed them last,
    `unseen` why a host shows nothing now, `now` monotonic seconds. Leases of another than `provider` are not
    ours to touch: hosts may be shared.
    """

    seen: Mapping[str, Mapping[str, HostWorkloadAnswer]]
    unseen: Mapping[str, Trouble]
    places: Mapping[WorkloadId, Placement]
    jobs: Mapping[Key, Job] = field(default_factory=dict)
    endings: Mapping[Key, RunEnd] = field(default_factory=dict)
    now: float = 0.0
    provider: str = ""


def workloads_of(scenery: FleetObservation) -> Mapping[WorkloadId, Running]:
    """Every workload of ours, wherever it is, was, or is on its way to."""
    names = {name for each in scenery.seen.values() for name in each} | scenery.places.keys()
    names |= {workload for workload, _ in (*scenery.jobs, *scenery.endings)}
    found = {}
    for name in sorted(names):
        if (running := running_of(WorkloadId(name), scenery)) is not None:
            found[WorkloadId(name)] = running
    return found


def hosts_of(workload: WorkloadId, scenery: FleetObservation) -> tuple[str, ...]:
    """Where it is: first the host that it belongs to, then others on which something of it was seen."""
    place = scenery.places.get(workload)
    seen = [host for host in sorted(scenery.seen) if workload in scenery.seen[host]]
    return tuple(dict.fromkeys(([place.host] if place else []) + seen))


def running_of(workload: WorkloadId, scenery: FleetObservation) -> Running | None:
    """One workload; None where nothing of it is there, or nothing tells its lease."""
    hosts = hosts_of(workload, scenery)
    if not hosts:
        return None
    host, place = hosts[0], scenery.places.get(workload)
    answer = scenery.seen.get(host, {}).get(workload)
    job = scenery.jobs.get((workload, host))
    lease = _lease(workload, answer, place, job)
    if lease is None or scenery.provider not in ("", lease.provider):
        return None
    if any((found := scenery.jobs.get((workload, each))) and found.removing for each in hosts):
        return replace(_shown(workload, lease, answer or HostWorkloadAnswer()), removing=True, ready=False)
    if job is not None and job.order is not None:
        return _on_its_way(lease, answer, job, scenery.endings.get((workload, host)))
    if trouble := scenery.unseen.get(host):
        return _silent(workload, lease, answer, place, trouble)
    if (ending := scenery.endings.get((workload, host))) is not None:
        return _ended(workload, lease, answer, ending, scenery.now)
    if answer is None:
        return None
    shown = _shown(workload, lease, answer)
    leftovers = any(each != host and each not in scenery.unseen for each in hosts)
    return replace(shown, drifted=True) if leftovers else shown


def _lease(
    workload: WorkloadId, answer: HostWorkloadAnswer | None, place: Placement | None, job: Job | None
) -> LeaseId | None:
    """The lease that any of them names, where it is the id's own."""
    for text in (answer and answer.lease, place and place.lease, job and job.lease):
        try:
            lease = LeaseId.parse(text or "")
        except ValueError:
            continue
        if workload_id(lease) == workload:
            return lease
    return None


def _shown(workload: WorkloadId, lease: LeaseId, answer: HostWorkloadAnswer) -> Running:
    wanted = set(answer.wanted)
    up = [each for each in answer.containers if each.status == "running"]
    ready = sum(each.ready and (each.name in wanted) for each in up)
    replicas = 0 if answer.paused else len(wanted)
    return Running(
        id=workload,
        lease=lease,
        digest=answer.digest,
        paused=answer.paused,
        ready=0 < replicas <= ready and not answer.differences,
        replicas_ready=ready,
        replicas=replicas,
        drifted=bool(answer.differences) and answer.due,
        trouble=trouble_of(answer),
        pods=tuple(sorted(each.name for each in up if each.name in wanted)),
    )


def _on_its_way(
    lease: LeaseId, answer: HostWorkloadAnswer | None, job: Job, ending: RunEnd | None
) -> Running:
    """What is asked for counts as applied; how far it is, looking shows. The trouble of the very same stays
    until it is known to be over.
    """
    assert job.order is not None, "a removal is told otherwise"
    shown = _shown(job.workload, lease, answer or HostWorkloadAnswer())
    trouble = shown.trouble if shown.digest == job.digest else None
    if ending is not None and ending.job == job:
        trouble = ending.trouble
    paused = bool(job.order["paused"])
    replicas = 0 if paused else len(job.order["containers"])
    return replace(
        shown,
        digest=job.digest,
        paused=paused,
        ready=False,
        replicas=replicas,
        drifted=False,
        trouble=trouble,
    )


def _silent(
    workload: WorkloadId,
    lease: LeaseId,
    answer: HostWorkloadAnswer | None,
    place: Placement | None,
    trouble: Trouble,
) -> Running:
    """On a host that shows nothing: not gone, not well, and nothing to repair it by; unless the host is none
    of ours any more, then it is placed anew.
    """
    last = answer or HostWorkloadAnswer()
    shown = _shown(workload, lease, last)
    digest = last.digest or (place.digest if place else "")
    count = len(last.wanted) or (place.count if place else 0)
    return replace(
        shown,
        digest=digest,
        ready=False,
        replicas_ready=0,
        replicas=count,
        drifted=trouble.reason == HOST_GONE,
        trouble=trouble,
    )


def _ended(
    workload: WorkloadId, lease: LeaseId, answer: HostWorkloadAnswer | None, ending: RunEnd, now: float
) -> Running:
    """A job that came to nothing: asked again when its time has come."""
    shown = _shown(workload, lease, answer or HostWorkloadAnswer())
    due = now >= ending.due_at
    if ending.job.removing:
        return replace(shown, trouble=ending.trouble, ready=False)
    return replace(shown, digest=ending.job.digest, drifted=due, trouble=ending.trouble, ready=False)
