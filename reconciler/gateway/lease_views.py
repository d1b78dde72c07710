"""What tenants see of a lease, in the form that their clients decode (tenant 3.2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from reconciler.values.addresses import AddressKind, ServiceAddress
from reconciler.values.views import ServiceView


def service_status(service: ServiceView, addresses: Sequence[ServiceAddress]) -> dict[str, Any]:
    """One service; `uris` are host names."""
    hosts = [
        each.host for each in addresses if each.service == service.name and each.kind is AddressKind.HOST_NAME
    ]
    ready, total = service.replicas_ready, service.replicas
    return {
        "name": service.name,
        "available": ready,
        "total": total,
        "uris": sorted(set(hosts)) or None,
        "observed_generation": 1,
        "replicas": total,
        "updated_replicas": total,
        "ready_replicas": ready,
        "available_replicas": ready,
    }


def lease_status(
    services: Sequence[ServiceView], addresses: Sequence[ServiceAddress], permitted: Collection[str]
) -> dict[str, Any]:
    """The permitted services with their forwarded ports and leased IPs; null where there are none."""
    shown = [each for each in addresses if each.service in permitted]
    found = {each.name: service_status(each, addresses) for each in services if each.name in permitted}
    return {
        "services": found or None,
        "forwarded_ports": _by_service(shown, AddressKind.PORT, _forwarded_port) or None,
        "ips": _by_service(shown, AddressKind.LEASED_IP, _leased_ip) or None,
    }


def _by_service(addresses: Sequence[ServiceAddress], kind: AddressKind, form: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for each in addresses:
        if each.kind is kind:
            found.setdefault(each.service, []).append(form(each))
    return found


def _forwarded_port(address: ServiceAddress) -> dict[str, Any]:
    return {
        "host": address.host,
        "port": address.port,
        "externalPort": address.external_port,
        "proto": address.protocol,
        "name": address.service,
    }


def _leased_ip(address: ServiceAddress) -> dict[str, Any]:
    """With keys as the clients have them."""
    return {
        "Port": address.port,
        "ExternalPort": address.external_port,
        "Protocol": address.protocol,
        "IP": address.host,
    }
