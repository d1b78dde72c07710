"""Checks what adapter files and workload files refer to against the grants of the host file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from reconciler.values.desired import Desired, KubernetesSettings, Workload
from reconciler.values.grants import AnsibleGrants, Grants, SecretGrant
from reconciler.values.hosts import LOCALHOST, AnsibleGroup, AnsibleSettings
from reconciler.values.observed import AdapterView
from reconciler.values.plans import Reason
from reconciler.values.readings import Unseen

SHOWN_MAX = 3
"""Denied references that a message lists."""
ROOT = "root"


def denials(desired: Desired, grants: Grants) -> Mapping[str, str]:
    """Adapter name -> why the host file denies this revision's adapter file."""
    found = {
        "kubernetes": tuple(_kubernetes(desired, grants)),
        "ansible": tuple(_ansible(desired.ansible, grants.ansible)) if desired.ansible else (),
    }
    return {name: _sentence(name, whys) for name, whys in found.items() if whys}


def without_denied(
    adapters: Mapping[str, AdapterView], desired: Desired, grants: Grants
) -> Mapping[str, AdapterView]:
    """The adapters, with denied ones unseen, so that nothing is started, removed or bid on there."""
    denied = {name: Unseen(why, Reason.ADAPTER_DENIED) for name, why in denials(desired, grants).items()}
    return (
        {**adapters, **{name: AdapterView(why, why) for name, why in denied.items()}} if denied else adapters
    )


def secret_denial(workload: Workload, grants: tuple[SecretGrant, ...]) -> str:
    """Why the host file denies a secret that the workload refers to; "" if it grants all."""
    tenant = workload.lease.order.owner
    for service in workload.services:
        for env in service.env:
            if env.secret and not any(g.covers(env.secret, workload.id, tenant) for g in grants):
                return (
                    f"service {service.name} refers to the secret {env.secret}, which the host file does not "
                    f"grant to this workload or its tenant; grant it under secrets in the host file and "
                    "restart the daemon, or remove the reference"
                )
    return ""


def _sentence(adapter: str, whys: tuple[str, ...]) -> str:
    more = f"; and {len(whys) - SHOWN_MAX} more" if len(whys) > SHOWN_MAX else ""
    return (
        f"adapters/{adapter}.yaml exceeds the grants of the host file, so the adapter is not used: "
        f"{'; '.join(whys[:SHOWN_MAX])}{more}; allow it under adapters.{adapter} in the host file and "
        "restart the daemon, or change the file"
    )


def _kubernetes(desired: Desired, grants: Grants) -> Iterator[str]:
    settings = desired.kubernetes or KubernetesSettings()
    if desired.commit and settings.enabled and settings.namespace not in grants.namespaces:
        allowed = ", ".join(grants.namespaces) or "none"
        yield f"namespace {settings.namespace} (namespaces: {allowed})"


def _ansible(settings: AnsibleSettings, grants: AnsibleGrants) -> Iterator[str]:
    if not settings.enabled or not settings.groups:
        return
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


def is_this_machine(address: str) -> bool:
    """Whether an address (in lower case) is loopback or unspecified, in any spelling."""
    if (number := _number(address)) is not None:
        mapped = number.ipv4_mapped if isinstance(number, IPv6Address) else None
        return (mapped or number).is_loopback or (mapped or number).is_unspecified
    labels = address.rstrip(".").split(".")
    return "localhost" in (labels[0], labels[-1])


def _is_of(address: str, allowed: str) -> bool:
    """Whether it is the same name or address, or an address in the range. An unusual spelling counts as a
    name.
    """
    number = _number(address)
    if number is None:
        return address == allowed
    try:
        return number in ip_network(allowed)
    except ValueError:
        return False


def _number(address: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(address)
    except ValueError:
        return None


def _is_within(path: str, allowed: str) -> bool:
    """Both are absolute paths without `.`, `..` or doubled slashes; their parsers ensure that."""
    return path == allowed or path.startswith(f"{allowed}/")
