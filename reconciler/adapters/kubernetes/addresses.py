"""Addresses of workloads, from their Services; pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from reconciler.adapters.kubernetes import naming, objects
from reconciler.documents.typed_json import decode_json
from reconciler.values.addresses import AddressKind, ServiceAddress
from reconciler.values.clusters import GlobalPorts
from reconciler.values.specification import HTTP_PORT
from reconciler.values.text import SENTENCE_MAX, one_line, printable

HOST_MAX = 253


def addresses_of(raw: bytes, kind: str) -> tuple[ServiceAddress, ...]:
    """Those under which an object of this kind is reached from outside."""
    if kind == "service":
        return service_addresses(raw)
    return host_names(raw) if kind in ("ingress", "httproute") else ()


def host_names(raw: bytes) -> tuple[ServiceAddress, ...]:
    """The host names of an Ingress or HTTPRoute."""
    found = decode_json(raw, objects.HostObject)
    service = printable((found.metadata.labels or {}).get(naming.SERVICE, ""), HOST_MAX)
    hosts = {*(found.spec.hostnames or ()), *(rule.host for rule in found.spec.rules or ())} - {""}
    made = (ServiceAddress(service, AddressKind.HOST_NAME, _host(each), HTTP_PORT) for each in hosts)
    return tuple(sorted(made)) if service else ()


def refusal_of(raw: bytes) -> str:
    """Why a Gateway does not serve an HTTPRoute; "" if it does, or has not decided."""
    for parent in decode_json(raw, objects.HostObject).status.parents or ():
        for each in parent.conditions or ():
            if each.type in ("Accepted", "ResolvedRefs") and each.status == "False":
                return one_line(f"{each.reason}: {each.message}".removesuffix(": "), SENTENCE_MAX)
    return ""


def _host(text: str) -> str:
    return printable(text, HOST_MAX).lower()


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
            yield _host(each.hostname)
        else:
            try:
                yield str(ip_address(each.ip))
            except ValueError:
                continue
