"""All hosts at one moment: which are reachable, what is free, and where a workload belongs; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from reconciler.adapters.ansible.host_observer import HostReading
from reconciler.adapters.ansible.responses import ObservedHost, ReportedWorkload
from reconciler.adapters.ansible.scheduling import HostCandidate, select, unfit_reason
from reconciler.adapters.ansible.troubles import sentence
from reconciler.adapters.ansible.workload_view import FleetObservation
from reconciler.values.desired import Workload
from reconciler.values.hosts import AnsibleSettings
from reconciler.values.ids import WorkloadId
from reconciler.values.machines import Capacity, Machine, capacity_reading
from reconciler.values.observed import Trouble
from reconciler.values.outcomes import Failed
from reconciler.values.readings import Reading
from reconciler.values.resources import Resources, total


@dataclass(frozen=True, slots=True)
class _Held:
    """What a workload holds on its host."""

    resources: Resources
    ports: tuple[int, ...]


@dataclass(frozen=True)
class HostFleet:
    """Derived from the settings and one reading of each host."""

    settings: AnsibleSettings
    readings: Mapping[str, HostReading]

    @cached_property
    def unreachable(self) -> Mapping[str, Trouble]:
        """Hosts that cannot be observed now, and why."""
        return {
            name: reading.trouble
            or Trouble("HostUnseen", f"host {name} is not observed yet", "wait for the first observation")
            for name, reading in self.readings.items()
            if reading.trouble is not None or reading.observed is None
        }

    @cached_property
    def reachable(self) -> Mapping[str, ObservedHost]:
        """Hosts with a current observation."""
        found = {name: each.observed for name, each in self.readings.items() if name not in self.unreachable}
        return {name: observed for name, observed in found.items() if observed is not None}

    @cached_property
    def workloads(self) -> Mapping[str, Mapping[str, ReportedWorkload]]:
        """By host; for unreachable hosts, as last observed."""
        found = {name: reading.observed for name, reading in self.readings.items()}
        return {name: observed.workloads for name, observed in found.items() if observed is not None}

    @property
    def unseen_reason(self) -> str | None:
        """Why no host is reachable; None if one is."""
        if self.reachable:
            return None
        if not self.readings:
            return "the adapter's file names no hosts; add groups with hosts"
        first = sentence(next(iter(self.unreachable.values())))
        more = f"; and {len(self.unreachable) - 1} more hosts" if len(self.unreachable) > 1 else ""
        return f"{first}{more}"

    def capacity(self, observation: FleetObservation, quota: Resources | None) -> Reading[Capacity]:
        """What reachable hosts offer, less the limits of foreign containers, and what workloads hold of it,
        those in flight included; Unseen if a host reports absurd figures.
        """
        machines = tuple(
            Machine(
                name,
                self._offered(name),
                {workload: (each.resources,) for workload, each in self._held(name, observation).items()},
                self.settings.hosts[name].attributes,
            )
            for name in sorted(self.settings.hosts)
        )
        reported = {name: self._reported(name) for name in self.reachable}
        return capacity_reading(Capacity(machines, quota, workloads_are_whole=True), reported)

    def gpus(self, host: str) -> int:
        """All GPUs of a host."""
        configured = self.settings.hosts[host].capacity
        if configured is not None:
            return configured.gpu
        return self.reachable[host].facts.gpu if host in self.reachable else 0

    def select_host(
        self,
        workload: Workload,
        observation: FleetObservation,
        quota: Resources | None,
        *,
        placements_lost: bool,
    ) -> str | Failed:
        """The host where it already is, if that is still configured; else that which the planner names, if
        it fits there; else one where it fits.

        `placements_lost`: an unreachable host may hold it, so nothing starts elsewhere.
        """
        current = next((host for host in observation.hosts_of(workload.id) if host in self.readings), None)
        if current is not None and (trouble := self.unreachable.get(current)):
            return Failed(trouble.reason, trouble.message, trouble.advice)
        if current is None and placements_lost and self.unreachable:
            trouble = next(iter(self.unreachable.values()))
            why = f"{trouble.message}: the workload may already run there, as its placement is unknown"
            advice = f"{trouble.advice}, or remove the host from the adapter's file"
            return Failed("HostUnseen", why, advice)
        if failure := self._over_quota(workload, observation, quota):
            return failure
        known = {key for host in self.settings.hosts.values() for key, _ in host.attributes}
        if current is None:
            candidates = [self._candidate(name, workload.id, observation) for name in sorted(self.reachable)]
            return select(workload, candidates, known)
        if why := unfit_reason(workload, self._candidate(current, workload.id, observation), known):
            advice = "ask for less, or free resources on its host; a workload stays on its host"
            return Failed("Unschedulable", f"its host {current} cannot hold it as specified: {why}", advice)
        return current

    def _over_quota(
        self, workload: Workload, observation: FleetObservation, quota: Resources | None
    ) -> Failed | None:
        """The quota covers reachable hosts only."""
        if quota is None:
            return None
        taken = [self._taken(name, workload.id, observation)[0] for name in self.reachable]
        if short := (quota - total(taken)).lacks(workload.resources):
            why = f"exceeded quota: too little {', '.join(short)} is left of {quota.describe()}"
            return Failed("QuotaExceeded", why, "Increase quotas, or free what other workloads hold")
        return None

    def _candidate(self, name: str, without: WorkloadId, observation: FleetObservation) -> HostCandidate:
        taken, ports = self._taken(name, without, observation)
        return HostCandidate(name, self._offered(name) - taken, self.settings.hosts[name].attributes, ports)

    def _taken(
        self, name: str, without: WorkloadId, observation: FleetObservation
    ) -> tuple[Resources, frozenset[int]]:
        """Resources and ports of all workloads but one on a host, those in flight included."""
        held = self._held(name, observation)
        held.pop(without, None)
        taken = total([each.resources for each in held.values()])
        return taken, frozenset(port for each in held.values() for port in each.ports)

    def _held(self, name: str, observation: FleetObservation) -> dict[WorkloadId, _Held]:
        """What each workload on a host holds, those in flight included."""
        held = {
            WorkloadId(workload): _Held(each.resources.resources.without_negatives(), tuple(each.ports))
            for workload, each in self.workloads.get(name, {}).items()
        }
        for (workload, host), job in observation.jobs.items():
            if host == name and job.spec is not None:
                held[workload] = _Held(Resources(**job.spec["resources"]), tuple(job.spec["ports"]))
        return held

    def _reported(self, name: str) -> Resources:
        return self.settings.hosts[name].capacity or self.reachable[name].facts.resources

    def _offered(self, name: str) -> Resources:
        """What a host has for workloads; an unreachable one has nothing now."""
        if name not in self.reachable:
            return Resources()
        return (
            self._reported(name) - self.reachable[name].foreign.resources.without_negatives()
        ).without_negatives()
