"""Addresses of workloads, from their Services; pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from reconciler.adapters.kubernetes import naming, objects
from reconciler.documents.typed_json import decode_json
from reconciler.values.addresses import AddressKind, ServiceAddress
from reconciler.values.clusters import GlobalPorts
from reconciler.values.text import printable

HOST_MAX = 253


def service_addresses(raw: bytes) -> tuple[ServiceAddress, ...]:
    """The ports of a Service that are reached from outside; those of a load balancer that has no address yet
    are not.
    """
    found = decode_json(raw, objects.ServiceObject)
    labels, annotations = found.metadata.labels or {}, found.metadata.annotations or {}
    service = printable(labels.get(naming.SERVICE, ""), HOST_MAX)
    if not service:
        return ()
    if found.spec.type == GlobalPorts.NODE_PORT:
        made = [_address(service, AddressKind.PORT, "", port, port.node_port) for port in _ports(found)]
    elif found.spec.type == GlobalPorts.LOAD_BALANCER:
        kind = AddressKind.LEASED_IP if naming.LEASED_IP in annotations else AddressKind.PORT
        made = [
            _address(service, kind, host, port, port.port)
            for host in _load_balancer_hosts(found)
            for port in _ports(found)
        ]
    else:
        made = []
    return tuple(sorted(each for each in made if each.external_port))


def _ports(found: objects.ServiceObject) -> list[objects.ServicePortObject]:
    return found.spec.ports or []


def _address(
    service: str, kind: AddressKind, host: str, port: objects.ServicePortObject, external: int
) -> ServiceAddress:
    inner = port.target_port if isinstance(port.target_port, int) else 0
    return ServiceAddress(service, kind, host, inner, external, printable(port.protocol, HOST_MAX))


def _load_balancer_hosts(found: objects.ServiceObject) -> Iterator[str]:
    """By host name where the cloud gives one; its addresses change."""
    for each in found.status.load_balancer.ingress or ():
        if each.hostname:
            yield printable(each.hostname, HOST_MAX).lower()
        else:
            try:
                yield str(ip_address(each.ip))
            except ValueError:
                continue
