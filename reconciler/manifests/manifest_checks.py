"""The checks of a manifest: by itself, and against the groups on the chain (semantics 6.6)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.go_text import quoted
from reconciler.manifests.groups import GroupSpec
from reconciler.manifests.http_option_checks import check_http_options
from reconciler.manifests.manifest import (
    AttributeEntry,
    DeploymentManifest,
    EndpointAmount,
    ManifestExpose,
    ManifestGroup,
    ManifestService,
    Protocol,
    UnitResources,
    expose_order,
)
from reconciler.values.resources import (
    LEASED_IP,
    RANDOM_PORT,
    SHARED_HTTP,
    Attribute,
    Endpoint,
    ResourceUnit,
)

HOST_NAME_MAX = 253
PORT_MAX = 65_535
EXPOSES_MAX = 100
HOSTS_MAX = 32
"""Host names of a service."""
GROUP_HOSTS_MAX = 100
"""Host names of a group, which one lease runs."""
_SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_ENV_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_INVALID = "invalid manifest"
_ENDPOINT_NAMES = {SHARED_HTTP: "HTTP", RANDOM_PORT: "PORT", LEASED_IP: "IP"}


def check_manifest(manifest: DeploymentManifest) -> None:
    """Raise ManifestError for the first fault."""
    if not manifest.groups:
        raise _invalid("manifest is empty")
    _check_groups(manifest.groups)


def _check_groups(groups: Sequence[ManifestGroup]) -> None:
    hosts: set[str] = set()
    names: set[str] = set()
    for group in groups:
        services = group.services or ()
        if not services:
            raise _invalid(f"group {quoted(group.name)} contains no services")
        if not _is_sorted([service.name for service in services]):
            raise _invalid(f"group {quoted(group.name)} services is not sorted")
        for service in services:
            _check_service(service, hosts)
        if group.name in names:
            raise _invalid(f"duplicate group {quoted(group.name)}")
        names.add(group.name)
        _check_amounts(group)
    exposes = [e for group in groups for service in group.services or () for e in service.expose or ()]
    if not any(expose.is_global for expose in exposes):
        raise _invalid("zero global services")


def _check_amounts(group: ManifestGroup) -> None:
    """The reference has no such limits; each port and host name is an object's part, and is planned for."""
    total = 0
    for service in group.services or ():
        exposes = service.expose or ()
        if len(exposes) > EXPOSES_MAX:
            raise _invalid(f"service {quoted(service.name)} exposes more than {EXPOSES_MAX} ports")
        hosts = sum(len(expose.hosts or ()) for expose in exposes)
        if hosts > HOSTS_MAX:
            raise _invalid(f"service {quoted(service.name)} has more than {HOSTS_MAX} hostnames")
        total += hosts
    if total > GROUP_HOSTS_MAX:
        raise _invalid(f"group {quoted(group.name)} has more than {GROUP_HOSTS_MAX} hostnames")


def _invalid(text: str) -> ManifestError:
    return ManifestError(f"{_INVALID}: {text}")


def _is_sorted(keys: Sequence[object]) -> bool:
    return list(keys) == sorted(keys)  # type: ignore[type-var]  # keys of one list have one type


def _check_service(service: ManifestService, hosts: set[str]) -> None:
    name = quoted(service.name)
    if not service.name:
        raise _invalid("service name is empty")
    if not _SERVICE_NAME.fullmatch(service.name):
        raise _invalid(f"service {name} name is invalid")
    if not service.image:
        raise _invalid(f"service {name} has empty image name")
    _check_resources(service.resources)
    for variable in service.env or ():
        key = variable.partition("=")[0]
        if not _ENV_NAME.fullmatch(key) or key == "." or key.startswith(".."):
            raise _invalid(f"service {name} defines an env. var. with an invalid name {quoted(key)}")
    exposes = service.expose or ()
    if not _is_sorted([expose_order(expose) for expose in exposes]):
        raise _invalid(f"service {name}: expose is not sorted")
    for expose in exposes:
        _check_expose(expose, name, hosts)


def _check_resources(resources: UnitResources) -> None:
    if resources.id == 0:
        raise ManifestError("resources ID must be > 0")
    for name in ("CPU", "GPU", "memory", "storage", "endpoints"):
        if getattr(resources, name.lower()) is None:
            raise ManifestError(f"{name} must not be nil")


def _check_expose(expose: ManifestExpose, service: str, hosts: set[str]) -> None:
    if not 0 < expose.port <= PORT_MAX:
        raise _invalid(f"service {service}: port value must be 0 < value <= {PORT_MAX} ")
    if expose.protocol not in tuple(Protocol):
        raise _invalid(f"service {service}: protocol {quoted(expose.protocol)} unknown")
    check_http_options(expose.http_options)
    for host in expose.hosts or ():
        if len(host) > HOST_NAME_MAX or not _HOST_NAME.fullmatch(host):
            raise _invalid(f"service {service}: has invalid hostname {quoted(host)}")
        if host in hosts:
            raise _invalid(f"service {service}: hostname {quoted(host)} is duplicated, this is not allowed")
        hosts.add(host)


def check_against_groups(manifest: DeploymentManifest, groups: Sequence[GroupSpec]) -> None:
    """Raise ManifestError unless the manifest uses exactly what the groups pay for.

    Stricter than the reference in two points. A service's volumes must be all those of its unit: the
    reference lets fewer pass, and panics on more. Leased IP addresses must be those of the group: it counts
    the endpoints only, so that ports of one paid address could get an address each.
    """
    _check_groups(manifest.groups or ())
    own = manifest.groups or ()
    if len(own) != len(groups):
        raise _invalid(f"group count mismatch ({len(own)} != {len(groups)})")
    budgets = {group.name: _Budget(group) for group in groups}
    for group in own:
        if group.name not in budgets:
            raise _invalid(f"unknown deployment group ('{group.name}')")
        for service in group.services or ():
            budgets[group.name].take(service)
    for budget in budgets.values():
        budget.check_used_up()
    _check_addresses(own)


def _check_addresses(groups: Sequence[ManifestGroup]) -> None:
    """An address is named in the manifest and numbered on the chain: each name has one number, and each
    number one name.
    """
    exposes = (e for group in groups for service in group.services or () for e in service.expose or ())
    pairs = {(e.ip, e.endpoint_sequence_number) for e in exposes if e.is_global and e.ip}
    names, numbers = Counter(name for name, _ in pairs), Counter(number for _, number in pairs)
    for name, number in sorted(pairs):
        if names[name] > 1:
            raise _invalid(f"leased IP {quoted(name)} has several endpoint sequence numbers")
        if numbers[number] > 1:
            raise _invalid(f"endpoint sequence number {number} has several leased IPs")


class _Budget:
    """The containers and endpoints of a group that no service has taken yet."""

    def __init__(self, group: GroupSpec) -> None:
        self._name = group.name
        self._units = {unit.id: unit for unit in reversed(group.units)}
        self._counts = {unit.id: unit.count for unit in group.units}
        self._endpoints = {unit.id: Counter(map(_paid_as, unit.endpoints)) for unit in group.units}

    def take(self, service: ManifestService) -> None:
        """Take what a service uses."""
        where, number = f"service {quoted(service.name)}", service.resources.id
        unit = self._units.get(number)
        if unit is None:
            raise self._fault(f"{where}: not found deployment group resources with ID = {number}")
        if service.count > self._counts[number]:
            limit = f"group spec resources count ({self._counts[number]})"
            raise self._fault(f"{where}: over-utilized replicas ({service.count}) > {limit}")
        if name := _different(service.resources, unit):
            raise self._fault(f"{where}: {name} resources mismatch for ID {number}")
        for endpoint in (each for expose in service.expose or () for each in _in_order(expose)):
            paid = _paid_as(endpoint)
            if not self._endpoints[number][paid]:
                name = _ENDPOINT_NAMES[endpoint.kind]
                raise self._fault(f"{where}: resource ID {number}: over-utilized {name} endpoints")
            self._endpoints[number][paid] -= 1
        self._counts[number] -= service.count

    def check_used_up(self) -> None:
        """Raise ManifestError if anything is left."""
        for number, left in self._endpoints.items():
            for kind, name in _ENDPOINT_NAMES.items():
                if unused := sum(count for paid, count in left.items() if paid[0] == kind):
                    raise self._fault(f"resources ID ({number}): under-utilized ({unused}) {name} endpoints")
        for number, count in self._counts.items():
            if count:
                raise self._fault(f"resources ID ({number}): under-utilized ({count}) resources")

    def _fault(self, text: str) -> ManifestError:
        return ManifestError(f"manifest cross-validation error: group {quoted(self._name)}: {text}")


def _paid_as(endpoint: Endpoint | EndpointAmount) -> tuple[int, int]:
    """The kind, and of a leased IP address its number."""
    return endpoint.kind, endpoint.sequence_number if endpoint.kind == LEASED_IP else 0


def _in_order(expose: ManifestExpose) -> list[EndpointAmount]:
    return sorted(expose.endpoints, key=lambda endpoint: endpoint.kind == LEASED_IP)


def _different(own: UnitResources, unit: ResourceUnit) -> str:
    """The name of the first resource in which the manifest differs from the group; "" if there is none."""
    assert own.cpu is not None, "checked before"
    assert own.gpu is not None, "checked before"
    assert own.memory is not None, "checked before"
    volumes = [(each.name, each.size.val, _pairs(each.attributes)) for each in own.storage or ()]
    pairs = {
        "CPU": ((own.cpu.units.val, _pairs(own.cpu.attributes)), (unit.cpu_milli, unit.cpu_attributes)),
        "GPU": ((own.gpu.units.val, _pairs(own.gpu.attributes)), (unit.gpu, unit.gpu_attributes)),
        "Memory": (
            (own.memory.size.val, _pairs(own.memory.attributes)),
            (unit.memory_bytes, unit.memory_attributes),
        ),
        "Storage": (volumes, [(each.name, each.size_bytes, each.attributes) for each in unit.storage]),
    }
    return next((name for name, (used, paid) in pairs.items() if used != paid), "")


def _pairs(attributes: tuple[AttributeEntry, ...] | None) -> tuple[Attribute, ...]:
    return tuple((each.key, each.value) for each in attributes or ())
