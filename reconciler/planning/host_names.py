"""Host names of workloads: each is held by one workload at a time, over all leases and adapters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address

from reconciler.planning.lease_index import leases_by_workload
from reconciler.planning.planning_input import PlanningBasis
from reconciler.values.addresses import AddressKind, is_host_denied, public_host_of
from reconciler.values.clusters import KubernetesSettings
from reconciler.values.desired import Workload
from reconciler.values.ids import WorkloadId
from reconciler.values.memory import WorkloadMemory
from reconciler.values.plans import ApplyWorkload, Hold, Reason
from reconciler.values.result_cache import KeyedInput, KeyedInputs
from reconciler.values.subjects import Subject
from reconciler.values.work import WorkKey

Hosts = Sequence[str]


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
    owners = _owners(basis, named, shown)
    found: dict[WorkloadId, Hold] = {}
    for name, hosts in named.items():
        why = _blocked(basis, hosts)
        if why:
            found[name] = Hold(Subject.of_workload(name), Reason.HOST_NAME_BLOCKED, why, ours=True)
        elif taken := next((host for host in hosts if owners.get(host, name) != name), ""):
            why = (
                f"host name {taken} belongs to workload {owners[taken]}; it waits until that has ended or no "
                "longer names it, or remove the name from its file"
            )
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


def _owners(
    basis: PlanningBasis, named: Mapping[WorkloadId, Hosts], shown: Mapping[WorkloadId, Hosts]
) -> Mapping[str, WorkloadId]:
    """The workload that each host name belongs to. A workload without a known lease claims nothing new."""
    leases = leases_by_workload(basis)
    claims: dict[str, list[tuple[bool, int, WorkloadId]]] = {}
    for name, hosts in shown.items():
        for host in hosts:
            claims.setdefault(host, []).append((False, 0, name))
    for name, hosts in named.items():
        lease = leases.get(name)
        if lease is None or basis.desired.workloads[name].paused:
            continue
        applying = _applying(basis, name)
        for host in hosts:
            claims.setdefault(host, []).append((host not in applying, lease.created_at, name))
    return {host: min(claimed)[-1] for host, claimed in claims.items()}


def _applying(basis: PlanningBasis, name: WorkloadId) -> Hosts:
    """The host names of what is being applied of a workload."""
    action = basis.in_flight.get(WorkKey(basis.desired.workloads[name].adapter, name))
    return (_named(action.workload) or ()) if isinstance(action, ApplyWorkload) else ()


def _blocked(basis: PlanningBasis, hosts: Hosts) -> str:
    """Why a workload may not have one of its host names; "" if it may have them all."""
    rules = tuple(_rules(basis))
    for host in hosts:
        if _is_address(host):
            return f"{host} is an address, not a host name; remove it from its file"
        if rule := next((each for each in rules if is_host_denied(host, (each,))), ""):
            return f"host name {host} is blocked by {rule}; remove it from its file"
    return ""


def _rules(basis: PlanningBasis) -> Iterator[str]:
    """Blocked names: those of config.yaml, generated ones of all adapters, and the provider's own."""
    yield from basis.desired.config.hosts_denied if basis.desired.config else ()
    for settings in basis.desired.adapters.values():
        if isinstance(settings, KubernetesSettings) and settings.ingress:
            yield f".{settings.ingress.domain}"
    provider = basis.market.provider if basis.market else None
    if provider and (own := public_host_of(provider.host_uri)):
        yield from (own, f"mtls.{own}")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
