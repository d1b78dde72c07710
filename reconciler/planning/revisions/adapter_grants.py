"""Checks what adapter files and workload files refer to against the grants of the host file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from ipaddress import ip_network
from typing import Generic, TypeVar

from reconciler.values.adapters import adapter_path
from reconciler.values.clusters import KubernetesSettings, LeaseIsolation, NetworkPolicyController
from reconciler.values.desired import AdapterSettings, Desired, Workload
from reconciler.values.grants import AdapterGrants, AnsibleGrants, Grants, KubernetesGrants, SecretGrant
from reconciler.values.hosts import (
    LOCALHOST,
    AnsibleGroup,
    AnsibleSettings,
    address_number,
    host_identity,
    is_this_machine,
)
from reconciler.values.observed import AdapterView
from reconciler.values.plans import Reason
from reconciler.values.readings import Unseen

SHOWN_MAX = 3
"""Denied references that a message lists."""
ROOT = "root"
Value = TypeVar("Value")


def denials(desired: Desired, grants: Grants) -> Mapping[str, str]:
    """Adapter name -> why the adapter of this revision's file is not used; a disabled one needs no grant."""
    found = _denials(_ById(desired.adapters), _ById(grants))
    return {name: why for name, why in found.items() if why and desired.adapters[name].enabled}


def denial(desired: Desired, name: str, grants: Grants) -> str:
    """Why the host file denies this revision's file of an adapter, enabled or not; "" if it grants all."""
    return _denials(_ById(desired.adapters), _ById(grants))[name]


class _ById(Generic[Value]):
    """A value that is compared by identity, so that a quiet cycle checks no host again."""

    def __init__(self, value: Value) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


@lru_cache(maxsize=8)
def _denials(adapters: _ById[Mapping[str, AdapterSettings]], grants: _ById[Grants]) -> Mapping[str, str]:
    granted = grants.value.adapters
    alone = {name: _denial(name, each, granted.get(name)) for name, each in adapters.value.items()}
    allowed = {name: each for name, each in adapters.value.items() if not alone[name]}
    return {**alone, **_shared(allowed, grants.value)}


def _denial(name: str, settings: AdapterSettings, granted: AdapterGrants | None) -> str:
    if isinstance(settings, AnsibleSettings) and not settings.groups:
        return ""
    path, entry = adapter_path(name), f"adapters.{name} in the host file"
    if granted is None:
        return (
            f"the host file has no entry for {path}, so the adapter is not used; add adapters.{name} with "
            f"kind: {settings.kind} to the host file and restart the daemon, or remove the file"
        )
    if granted.kind != settings.kind:
        return (
            f"{path} is of kind {settings.kind}, but {entry} is of kind {granted.kind}, so the adapter is "
            "not used; use another file name, or change the entry and restart the daemon"
        )
    whys = tuple(_excesses(settings, granted))
    if not whys:
        return ""
    more = f"; and {len(whys) - SHOWN_MAX} more" if len(whys) > SHOWN_MAX else ""
    return (
        f"{path} exceeds the grants of the host file, so the adapter is not used: "
        f"{'; '.join(whys[:SHOWN_MAX])}{more}; allow it under {entry} and restart the daemon, "
        "or change the file"
    )


def without_denied(
    adapters: Mapping[str, AdapterView], desired: Desired, grants: Grants
) -> Mapping[str, AdapterView]:
    """The adapters, with denied ones unseen, so that nothing is started, removed or bid on there; those that
    are disabled, or where nothing may start, offer no capacity.
    """
    changed: dict[str, AdapterView] = {}
    for name, view in adapters.items():
        settings = desired.adapters.get(name)
        if settings is not None and not settings.enabled:
            off = _unseen(f"{adapter_path(name)} says enabled: false")
            changed[name] = replace(view, capacity=off)
        elif why := start_denial(name, settings):
            changed[name] = replace(view, capacity=_unseen(why, Reason.NETWORK_POLICY_MISSING))
    for name, why in denials(desired, grants).items():
        unseen = _unseen(why, Reason.ADAPTER_DENIED)
        changed[name] = AdapterView(unseen, unseen)
    return {**adapters, **changed} if changed else adapters


def start_denial(name: str, settings: AdapterSettings | None) -> str:
    """Why nothing may start on an adapter, "" if it may: tenants are separated by what its file names."""
    if not isinstance(settings, KubernetesSettings) or not settings.enabled or settings.network_policy:
        return ""
    *named, last = NetworkPolicyController
    return (
        f"{adapter_path(name)} does not name what enforces NetworkPolicies, so nothing is started there; add "
        f"network_policy: {', '.join(named)} or {last}"
    )


@lru_cache(maxsize=64)
def _unseen(why: str, reason: str = "") -> Unseen:
    """One object as long as nothing changes, so that decisions hold."""
    return Unseen(why, reason)


def secret_denial(workload: Workload, grants: tuple[SecretGrant, ...]) -> str:
    """Why the host file denies a secret that the workload refers to; "" if it grants all."""
    tenant = workload.lease.order.owner
    for service in workload.services:
        password = service.credentials.secret if service.credentials else ""
        for secret in (*(env.secret for env in service.env), password):
            if secret and not any(g.covers(secret, workload.id, tenant) for g in grants):
                return (
                    f"service {service.name} refers to the secret {secret}, which the host file does not "
                    f"grant to this workload or its tenant; grant it under secrets in the host file and "
                    "restart the daemon, or remove the reference"
                )
    return ""


def _shared(adapters: Mapping[str, AdapterSettings], grants: Grants) -> Mapping[str, str]:
    """Of otherwise allowed adapters, name -> which machine it shares with an enabled one: each would see the
    other's workloads, count the same capacity, and remove what the other runs.
    """
    users: dict[str, dict[str, str]] = {}
    for name, settings in sorted(adapters.items()):
        for place, words in _places(settings, grants.adapters.get(name)):
            users.setdefault(place, {})[name] = words
    found: dict[str, str] = {}
    for names in users.values():
        for name, words in names.items():
            if other := next((each for each in names if each != name and adapters[each].enabled), ""):
                paths = f"{adapter_path(name)} and {adapter_path(other)}"
                why = f"{paths} both name {words}, so neither is used; name it in one of them only"
                found.setdefault(name, why)
    return found


def _places(settings: AdapterSettings, granted: AdapterGrants | None) -> Iterator[tuple[str, str]]:
    """What only one adapter may name: an identity, and its description; nothing without an entry."""
    match settings, granted:
        case KubernetesSettings(), KubernetesGrants(cluster=cluster) if cluster:
            yield cluster, "one cluster"  # in any namespace, as both would offer its nodes
        case AnsibleSettings(groups=groups), AnsibleGrants(enabled=True):
            for host in (host for group in groups for host in group.hosts):
                yield host_identity(host.address, host.port), f"host {host.address}"
        case _:
            return


def _excesses(settings: AdapterSettings, granted: AdapterGrants) -> Iterator[str]:
    match settings, granted:
        case KubernetesSettings(namespace=space), KubernetesGrants(namespaces=allowed):
            if space not in allowed:
                yield f"namespace {space} (namespaces: {', '.join(allowed) or 'none'})"
            if settings.isolation is LeaseIsolation.NAMESPACE and not granted.lease_namespaces:
                yield "isolation: namespace (lease_namespaces: false)"
        case AnsibleSettings(), AnsibleGrants():
            yield from _ansible(settings, granted)
        case _:
            raise AssertionError("the kinds agree")


def _ansible(settings: AnsibleSettings, grants: AnsibleGrants) -> Iterator[str]:
    if not grants.enabled:
        yield "Ansible (enabled: false)"
        return
    if not any(_is_within(settings.storage, allowed) for allowed in grants.storage_paths):
        yield f"storage.path {settings.storage} (storage_paths: {', '.join(grants.storage_paths) or 'none'})"
    for group in settings.groups:
        yield from _group(group, grants)


def _group(group: AnsibleGroup, grants: AnsibleGrants) -> Iterator[str]:
    if group.sudo and not grants.sudo:
        yield f"sudo in group {group.name} (sudo: false)"
    if group.user == ROOT and not grants.sudo:
        yield f"user root in group {group.name} (sudo: false)"
    for host in group.hosts:
        address = host.address.lower()
        if is_this_machine(address):
            if not grants.this_machine:
                yield f"host {host.name} at {address}, which is this machine (this_machine: false)"
            if address == LOCALHOST:
                continue
        if not any(_is_of(address, allowed.lower()) for allowed in grants.hosts):
            yield f"host {host.name} at {address} (hosts)"


def _is_of(address: str, allowed: str) -> bool:
    """Whether it is the same name or address, or an address in the range. An unusual spelling counts as a
    name.
    """
    number = address_number(address)
    if number is None:
        return address == allowed
    try:
        return number in ip_network(allowed)
    except ValueError:
        return False


def _is_within(path: str, allowed: str) -> bool:
    """Both are absolute paths without `.`, `..` or doubled slashes; their parsers ensure that."""
    return path == allowed or path.startswith(f"{allowed}/")
