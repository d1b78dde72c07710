"""Host names of workloads: each is held by one workload at a time, over all leases and adapters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from ipaddress import ip_address

from reconciler.planning.lease_index import leases_by_workload
from reconciler.planning.planning_input import PlanningBasis
from reconciler.values.addresses import AddressKind, denying_rule, public_host_of
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.desired import Workload
from reconciler.values.ids import WorkloadId
from reconciler.values.memory import WorkloadMemory
from reconciler.values.plans import ApplyWorkload, Hold, Reason
from reconciler.values.result_cache import KeyedInput, KeyedInputs
from reconciler.values.subjects import Subject
from reconciler.values.work import WorkKey

Hosts = Sequence[str]
Claim = tuple[int, Hosts]
"""The block that created its lease, and the host names that are being applied."""


def host_name_holds(basis: PlanningBasis) -> Mapping[WorkloadId, Hold]:
    """The hold of each workload whose file names a host name that is blocked, or that another workload has.
    The one that has it keeps it; among others the oldest lease gets it.
    """
    files, results = basis.desired.workloads, basis.decisions
    named = results.reuse_each(
        "host names of files", KeyedInputs(files, (KeyedInput(files),)), lambda name: _named(files[name])
    )
    if not named:
        return {}
    known = basis.memory.workloads
    shown = results.reuse_each(
        "host names in use", KeyedInputs(known, (KeyedInput(known),)), lambda name: _in_use(known[name])
    )
    rules = results.same("host name rules", frozenset(_rules(basis)))
    blocked = results.reuse_each(
        "blocked host names",
        KeyedInputs(named, (KeyedInput(named),), (rules,)),
        lambda name: _blocked(named[name], rules),
    )
    claims = results.same("host name claims", _claims(basis, named))
    taken = results.reuse("taken host names", (named, shown, claims), lambda: _taken(named, shown, claims))
    found: dict[WorkloadId, Hold] = {}
    for name in named:
        if why := blocked.get(name):
            found[name] = Hold(Subject.of_workload(name), Reason.HOST_NAME_BLOCKED, why, ours=True)
        elif why := taken.get(name):
            found[name] = Hold(Subject.of_workload(name), Reason.HOST_NAME_TAKEN, why, ours=True)
    return results.same_each("host name holds", found)


def _named(workload: Workload) -> Hosts | None:
    """The host names of a file, in lower case; None without any."""
    ports = (port for service in workload.services for port in service.ports)
    return tuple(dict.fromkeys(host.lower() for port in ports for host in port.hosts)) or None


def _in_use(memory: WorkloadMemory) -> Hosts | None:
    """The host names that a workload was last seen to have, until its objects are gone."""
    found = tuple(each.host for each in memory.addresses if each.kind is AddressKind.HOST_NAME)
    return found or None


def _claims(basis: PlanningBasis, named: Mapping[WorkloadId, Hosts]) -> Mapping[WorkloadId, Claim]:
    """The age of the lease of each workload that claims names, and those that are being applied. A workload
    without a known lease claims nothing new.
    """
    leases, files = leases_by_workload(basis), basis.desired.workloads
    return {
        name: (leases[name].created_at, _applying(basis, name))
        for name in named
        if name in leases and not files[name].paused
    }


def _taken(
    named: Mapping[WorkloadId, Hosts],
    shown: Mapping[WorkloadId, Hosts],
    claims: Mapping[WorkloadId, Claim],
) -> Mapping[WorkloadId, str]:
    """Why workloads may not have one of their host names yet."""
    claimed: dict[str, list[tuple[bool, int, WorkloadId]]] = {}
    for name, hosts in shown.items():
        for host in hosts:
            claimed.setdefault(host, []).append((False, 0, name))
    for name, (created_at, applying) in claims.items():
        for host in named[name]:
            claimed.setdefault(host, []).append((host not in applying, created_at, name))
    owners = {host: min(each)[-1] for host, each in claimed.items()}
    found: dict[WorkloadId, str] = {}
    for name, hosts in named.items():
        if host := next((host for host in hosts if owners.get(host, name) != name), ""):
            found[name] = (
                f"host name {host} belongs to workload {owners[host]}; it waits until that has ended or no "
                "longer names it, or remove the name from its file"
            )
    return found


def _applying(basis: PlanningBasis, name: WorkloadId) -> Hosts:
    """The host names of what is being applied of a workload."""
    action = basis.in_flight.get(WorkKey(basis.desired.workloads[name].adapter, name))
    return (_named(action.workload) or ()) if isinstance(action, ApplyWorkload) else ()


def _blocked(hosts: Hosts, rules: Set[str]) -> str | None:
    """Why a workload may not have one of its host names; None if it may have them all."""
    for host in hosts:
        if _is_address(host):
            return f"{host} is an address, not a host name; remove it from its file"
        if rule := denying_rule(host, rules):
            return f"host name {host} is blocked by {rule}; remove it from its file"
    return None


def _rules(basis: PlanningBasis) -> Iterator[str]:
    """Blocked names: those of config.yaml, generated ones of all adapters, and the provider's own."""
    yield from basis.desired.config.hosts_denied if basis.desired.config else ()
    provider = basis.market.provider if basis.market else None
    own = [basis.limits.gateway_host, public_host_of(provider.host_uri) if provider else ""]
    for settings in basis.desired.adapters.values():
        if isinstance(settings, KubernetesSettings):
            own.append(settings.public_host)
            if settings.ingress:
                yield f".{settings.ingress.domain}"
    for host in (each.lower() for each in own if each):
        yield from (host, f"mtls.{host}")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
