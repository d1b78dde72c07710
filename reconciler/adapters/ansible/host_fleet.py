"""The hosts together: who answers, what is free where, and where a workload belongs; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from reconciler.adapters.ansible.answers import HostWorkloadAnswer, LookAnswer
from reconciler.adapters.ansible.host_observer import HostReading
from reconciler.adapters.ansible.placement import FreeRoom, choose, unfit
from reconciler.adapters.ansible.troubles import sentence
from reconciler.adapters.ansible.workload_view import FleetObservation, hosts_of
from reconciler.values.desired import Workload
from reconciler.values.hosts import AnsibleSettings
from reconciler.values.ids import WorkloadId
from reconciler.values.observed import Capacity, HostRoom, Trouble
from reconciler.values.outcomes import Failed
from reconciler.values.resources import Resources, total


@dataclass(frozen=True)
class HostFleet:
    """All hosts at one moment."""

    settings: AnsibleSettings
    sights: Mapping[str, HostReading]

    @cached_property
    def silent(self) -> Mapping[str, Trouble]:
        """Hosts that show nothing now, and why."""
        waiting = "is not looked at yet"
        return {
            name: seen.trouble or Trouble("HostUnseen", f"host {name} {waiting}", "wait for the first look")
            for name, seen in self.sights.items()
            if seen.trouble is not None or seen.look is None
        }

    @cached_property
    def answering(self) -> Mapping[str, LookAnswer]:
        """Hosts that show what they hold."""
        found = {name: seen.look for name, seen in self.sights.items() if name not in self.silent}
        return {name: look for name, look in found.items() if look is not None}

    @cached_property
    def workloads(self) -> Mapping[str, Mapping[str, HostWorkloadAnswer]]:
        """By host, of silent ones as they were seen last."""
        return {name: seen.look.workloads for name, seen in self.sights.items() if seen.look is not None}

    @property
    def unseen_whole(self) -> str | None:
        """Why nothing at all is seen; None where some host is."""
        if self.answering:
            return None
        if not self.sights:
            return "adapters/ansible.yaml names no hosts; add groups with hosts and restart"
        first = sentence(next(iter(self.silent.values())))
        more = f"; and {len(self.silent) - 1} more hosts" if len(self.silent) > 1 else ""
        return f"{first}{more}"

    def capacity(self, quota: Resources | None) -> Capacity:
        """What hosts that answer offer: all of it less strangers' limits, and host by host what is free."""
        whole = {name: self._offers(name) for name in self.answering}
        known = self.settings.hosts
        rooms = tuple(
            HostRoom(self._not_below_nothing(whole[name] - self._used(name)), known[name].attributes)
            for name in sorted(whole)
        )
        return Capacity(total([whole[name] for name in sorted(whole)]), (), quota, rooms)

    def gpus(self, host: str) -> int:
        """All GPUs of a host."""
        own = self.settings.hosts[host].capacity
        if own is not None:
            return own.gpu
        return self.answering[host].facts.gpu if host in self.answering else 0

    def place_of(
        self, workload: Workload, scenery: FleetObservation, quota: Resources | None, *, lost: bool
    ) -> str | Failed:
        """Where it is already, while that host is among ours; else where it fits. `lost`: what was kept about
        places is lost, so that a silent host may hold it.
        """
        here = [host for host in hosts_of(workload.id, scenery) if host in self.sights]
        if here and (trouble := self.silent.get(here[0])):
            return Failed(trouble.reason, trouble.message, trouble.advice)
        if not here and lost and self.silent:
            trouble = next(iter(self.silent.values()))
            why = f"{trouble.message}: it may run there already, as no place of it is known"
            advice = f"{trouble.advice}, or take the host out of adapters/ansible.yaml"
            return Failed("HostUnseen", why, advice)
        if failure := self._over(workload, scenery, quota):
            return failure
        rooms = [self._room(name, workload.id, scenery) for name in sorted(self.answering)]
        known = {key for host in self.settings.hosts.values() for key, _ in host.attributes}
        if not here:
            return choose(workload, rooms, known)
        [room] = [room for room in rooms if room.host == here[0]]
        if why := unfit(workload, room, known):
            advice = "ask for less, or make room on its host; a workload stays where it is"
            return Failed("Unschedulable", f"its host {room.host} cannot hold it as asked: {why}", advice)
        return room.host

    def _over(self, workload: Workload, scenery: FleetObservation, quota: Resources | None) -> Failed | None:
        """No more is placed than may be used together; the quota is one of hosts that answer."""
        if quota is None:
            return None
        taken = [self._taken(name, workload.id, scenery)[0] for name in self.answering]
        if short := (quota - total(taken)).lacks(workload.resources):
            why = f"exceeded quota: too little {', '.join(short)} is left of {quota.show()}"
            return Failed("QuotaExceeded", why, "Increase quotas, or free what other workloads hold")
        return None

    def _room(self, name: str, without: WorkloadId, scenery: FleetObservation) -> FreeRoom:
        taken, ports = self._taken(name, without, scenery)
        host = self.settings.hosts[name]
        return FreeRoom(name, self._offers(name) - taken, host.attributes, ports)

    def _taken(
        self, name: str, without: WorkloadId, scenery: FleetObservation
    ) -> tuple[Resources, frozenset[int]]:
        """What workloads but one take of a host, those on their way there among them."""
        held = {each: (a.resources.resources, a.ports) for each, a in self.workloads.get(name, {}).items()}
        for (each, host), job in scenery.jobs.items():
            if host == name and job.order is not None:
                held[each] = (Resources(**job.order["resources"]), job.order["ports"])
        held.pop(without, None)
        taken = total([resources for resources, _ in held.values()])
        return taken, frozenset(port for _, ports in held.values() for port in ports)

    def _used(self, name: str) -> Resources:
        answers = self.answering[name].workloads.values()
        return total([each.resources.resources for each in answers])

    def _offers(self, name: str) -> Resources:
        look = self.answering[name]
        whole = self.settings.hosts[name].capacity or look.facts.resources
        return self._not_below_nothing(whole - look.strangers.resources)

    @staticmethod
    def _not_below_nothing(room: Resources) -> Resources:
        return Resources(
            max(room.cpu_milli, 0), max(room.memory_bytes, 0), max(room.storage_bytes, 0), max(room.gpu, 0)
        )
