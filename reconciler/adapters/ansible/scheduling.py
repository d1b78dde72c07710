"""Selects the host of a workload: one host holds all of it, and the choice is deterministic; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from reconciler.adapters.ansible.host_spec import public_ports
from reconciler.values.desired import Service, Workload
from reconciler.values.features import ARCHITECTURE
from reconciler.values.gpus import has_model
from reconciler.values.hosts import AnsibleSettings
from reconciler.values.machines import gpu_model_of
from reconciler.values.outcomes import Failed, Refused
from reconciler.values.resources import Attribute, Resources


@dataclass(frozen=True, slots=True)
class HostCandidate:
    """A reachable host: its free resources, its attributes, and the public ports that workloads occupy."""

    host: str
    free: Resources
    attributes: tuple[Attribute, ...] = ()
    ports: frozenset[int] = frozenset()


def select(workload: Workload, candidates: Sequence[HostCandidate], known: Collection[str]) -> str | Failed:
    """The host that the planner names, if it fits there; else the fitting host with most free CPU, then
    memory, then by name. `known` are the attribute keys that
    hosts declare; other attributes of the workload do not count.
    """
    if not candidates:
        return Failed("HostUnseen", "no host is reachable", "see the conditions of the hosts")
    whys = {each.host: unfit_reason(workload, each, known) for each in candidates}
    fitting = [each for each in candidates if not whys[each.host]]
    if not fitting:
        shown = "; ".join(f"{host}: {why}" for host, why in sorted(whys.items())[:3])
        more = f"; and {len(whys) - 3} more hosts" if len(whys) > 3 else ""
        advice = "free hosts, or add some in the adapter's file; one host must hold all of a workload"
        return Failed(
            "Unschedulable", f"no host has room for {workload.resources.describe()}: {shown}{more}", advice
        )

    def rank(each: HostCandidate) -> tuple[bool, int, int, str]:
        return each.host != workload.machine, -each.free.cpu_milli, -each.free.memory_bytes, each.host

    return min(fitting, key=rank).host


def unfit_reason(workload: Workload, candidate: HostCandidate, known: Collection[str]) -> str:
    """Why a workload does not fit on that host; "" if it does."""
    if short := candidate.free.lacks(workload.resources):
        return f"too little {', '.join(short)}"
    has = dict(candidate.attributes)
    for key, value in workload.attributes:
        if key in known and has.get(key) != value:
            return f"its {key} is {has.get(key, 'unset')}, not {value}"
    if unlike := next(filter(None, (_unlike(service, has) for service in workload.services)), ""):
        return unlike
    taken = sorted(candidate.ports & {port for port, _ in public_ports(workload)})
    return f"port {taken[0]} is in use by another workload" if taken else ""


def _unlike(service: Service, has: Mapping[str, str]) -> str:
    """Why a host of these attributes has no machine for a service; "" if it has."""
    if service.arch and has.get(ARCHITECTURE) != service.arch:
        return f"its {ARCHITECTURE} is {has.get(ARCHITECTURE, 'unset')}, not {service.arch}"
    model = gpu_model_of(has.items())
    if model and service.gpu_models and not has_model((model,), service.gpu_models):
        return f"its GPUs are {model}, not {' or '.join(map(str, service.gpu_models))}"
    return ""


def validate_ports(workload: Workload, settings: AnsibleSettings) -> Refused | None:
    """A refusal if no host may ever publish the workload's ports."""
    lowest, highest = settings.ports
    ports = public_ports(workload)
    for port, _ in ports:
        if not lowest <= port <= highest:
            why = f"public port {port} is not between {lowest} and {highest}"
            return Refused("Invalid", why, "expose another, or widen network.ports in the adapter's file")
    for (port, _), count in Counter(ports).items():
        if count > 1:
            return Refused("Invalid", f"public port {port} is exposed twice", "give each a port of its own")
    return None
