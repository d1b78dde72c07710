"""Workloads as the planner sees them, from observations of hosts, jobs in flight and failed jobs; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.adapters.ansible.job_queue import Job, JobKey
from reconciler.adapters.ansible.placements import Placement
from reconciler.adapters.ansible.responses import ReportedWorkload
from reconciler.adapters.ansible.troubles import workload_trouble
from reconciler.values.ids import LeaseId, WorkloadId, workload_id
from reconciler.values.observed import ObservedWorkload, Trouble

HOST_GONE = "HostGone"
"""The reason for a host that the adapter's file no longer names."""


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job without a result from its host: why, the attempts, and when to retry (monotonic seconds)."""

    job: Job
    trouble: Trouble
    attempts: int
    retry_at: float


@dataclass(frozen=True, slots=True)
class FleetObservation:
    """All inputs of a workload's view. `observed` are the workloads of each host as last seen, `unreachable`
    says why a host cannot be observed now, `now` is in monotonic seconds. Leases of another `provider` ("":
    all are ours) do not count: hosts may be shared.
    """

    observed: Mapping[str, Mapping[str, ReportedWorkload]]
    unreachable: Mapping[str, Trouble]
    placements: Mapping[WorkloadId, Placement]
    jobs: Mapping[JobKey, Job] = field(default_factory=dict)
    failed: Mapping[JobKey, FailedJob] = field(default_factory=dict)
    now: float = 0.0
    provider: str = ""

    def hosts_of(self, workload: WorkloadId) -> tuple[str, ...]:
        """The host where it is placed, then others on which something of it was observed."""
        placement = self.placements.get(workload)
        found = [host for host in sorted(self.observed) if workload in self.observed[host]]
        return tuple(dict.fromkeys(([placement.host] if placement else []) + found))


def workloads_of(fleet: FleetObservation) -> Mapping[WorkloadId, ObservedWorkload]:
    """Every workload of this provider that is observed, placed, in flight or failed."""
    names = {name for each in fleet.observed.values() for name in each} | fleet.placements.keys()
    names |= {workload for workload, _ in (*fleet.jobs, *fleet.failed)}
    found = {WorkloadId(name): observed_workload_of(WorkloadId(name), fleet) for name in sorted(names)}
    return {workload: running for workload, running in found.items() if running is not None}


def observed_workload_of(workload: WorkloadId, fleet: FleetObservation) -> ObservedWorkload | None:
    """One workload; None if nothing of it exists, or its lease is unknown or not ours."""
    hosts = fleet.hosts_of(workload)
    if not hosts:
        return None
    host, placement = hosts[0], fleet.placements.get(workload)
    observed = fleet.observed.get(host, {}).get(workload)
    job = fleet.jobs.get((workload, host))
    failed = fleet.failed.get((workload, host))
    lease = _lease(workload, observed, placement, job)
    if lease is None or fleet.provider not in ("", lease.provider):
        return None
    shown = _shown(workload, lease, observed or ReportedWorkload())
    if any((found := fleet.jobs.get((workload, each))) and found.is_removal for each in hosts):
        return replace(shown, removing=True, ready=False)
    if job is not None and job.spec is not None:
        return _in_flight(shown, job, failed)
    if trouble := fleet.unreachable.get(host):
        return _unreachable(shown, observed, placement, trouble)
    if failed is not None and failed.job.is_removal:
        return replace(shown, trouble=failed.trouble, ready=False)
    if failed is not None:
        is_due = fleet.now >= failed.retry_at
        return replace(shown, digest=failed.job.digest, drifted=is_due, trouble=failed.trouble, ready=False)
    if observed is None:
        return None
    leftovers = any(each != host and each not in fleet.unreachable for each in hosts)
    return replace(shown, drifted=True) if leftovers else shown


def _lease(
    workload: WorkloadId, observed: ReportedWorkload | None, placement: Placement | None, job: Job | None
) -> LeaseId | None:
    """The lease that one of them names, if the workload's id derives from it."""
    for text in (observed and observed.lease, placement and placement.lease, job and job.lease):
        try:
            lease = LeaseId.parse(text or "")
        except ValueError:
            continue
        if workload_id(lease) == workload:
            return lease
    return None


def _shown(workload: WorkloadId, lease: LeaseId, observed: ReportedWorkload) -> ObservedWorkload:
    wanted = set(observed.wanted)
    up = [each for each in observed.containers if each.status == "running"]
    ready = [each for each in up if each.is_ready and each.name in wanted]
    replicas = 0 if observed.paused else len(wanted)
    return ObservedWorkload(
        id=workload,
        lease=lease,
        digest=observed.digest,
        paused=observed.paused,
        ready=0 < replicas <= len(ready) and not observed.differences,
        replicas_ready=len(ready),
        replicas=replicas,
        drifted=bool(observed.differences) and observed.due,
        trouble=workload_trouble(observed),
        pods=tuple(sorted(each.name for each in up if each.name in wanted)),
        uids=tuple(sorted(each.id for each in observed.containers if each.id)),
        ready_by_service=tuple(sorted(Counter(each.service for each in ready).items())),
    )


def _in_flight(shown: ObservedWorkload, job: Job, failed: FailedJob | None) -> ObservedWorkload:
    """A job in flight counts as applied; its progress shows in the observation. The trouble of an equal
    earlier attempt stays until the job ends.
    """
    assert job.spec is not None, "a removal is shown as removing"
    is_same = shown.digest == job.digest
    trouble = shown.trouble if is_same else None
    if failed is not None and failed.job == job:
        trouble = failed.trouble
    paused = bool(job.spec["paused"])
    replicas = 0 if paused else len(job.spec["containers"])
    by_service = shown.ready_by_service if is_same else ()
    shown = replace(shown, digest=job.digest, paused=paused, replicas=replicas, ready_by_service=by_service)
    return replace(shown, ready=False, drifted=False, trouble=trouble)


def _unreachable(
    shown: ObservedWorkload, observed: ReportedWorkload | None, placement: Placement | None, trouble: Trouble
) -> ObservedWorkload:
    """Neither ready nor drifted, so nothing is done there; a host that is no longer configured counts as
    drift, so that the workload is placed on another one.
    """
    last = observed or ReportedWorkload()
    return replace(
        shown,
        digest=last.digest or (placement.digest if placement else ""),
        ready=False,
        replicas_ready=0,
        ready_by_service=(),
        replicas=len(last.wanted) or (placement.count if placement else 0),
        drifted=trouble.reason == HOST_GONE,
        trouble=trouble,
    )
