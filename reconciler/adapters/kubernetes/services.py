"""The Services of a workload: for its own lease, for global ports, and for leased IP addresses; pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.pods import Rendering
from reconciler.values.clusters import KubernetesSettings, LeasedIpPool
from reconciler.values.desired import Port, Service
from reconciler.values.ids import LeaseId

Manifest = dict[str, Any]
POOL = "metallb.io/address-pool"
SHARED = "metallb.io/allow-shared-ip"
_PLAIN = re.compile(r"[a-z0-9-]{1,40}")


def service_manifests(rendering: Rendering) -> Iterator[Manifest]:
    """For each service with ports, a ClusterIP Service with all of them for its own lease; for global ports
    without a host name, a second Service with these alone; for each leased address, one with its ports.
    """
    pool = rendering.settings.leased_ips
    for service in rendering.workload.services:
        name = naming.object_name(rendering.workload.id, service.name)
        if service.ports:
            yield _service(rendering, service, name, {"type": "ClusterIP", "ports": _ports(service.ports)})
        if outer := outer_ports(service, rendering.settings):
            name = naming.public_name(rendering.workload.id, service.name)
            kind = rendering.settings.global_ports.value
            yield _service(rendering, service, name, {"type": kind, "ports": _ports(outer)})
        for ip in leased_names(service) if pool else ():
            assert pool is not None
            yield _leased(rendering, service, ip, pool)


def service_parts(rendering: Rendering, service: Service) -> Iterator[str]:
    """The Services of one service, such as `service/name`."""
    workload = rendering.workload.id
    if service.ports:
        yield f"service/{naming.object_name(workload, service.name)}"
    if outer_ports(service, rendering.settings):
        yield f"service/{naming.public_name(workload, service.name)}"
    for ip in leased_names(service) if rendering.settings.leased_ips else ():
        yield f"service/{naming.leased_ip_name(workload, service.name, ip)}"


def outer_ports(service: Service, settings: KubernetesSettings) -> tuple[Port, ...]:
    """The global ports that are reached on nodes or a load balancer: all but those under a host name."""
    has_names = settings.ingress is not None
    return tuple(port for port in service.ports if port.public and not (has_names and port.is_ingress))


def leased_names(service: Service) -> tuple[str, ...]:
    """The names of the leased addresses of a service, sorted."""
    return tuple(sorted({port.ip for port in service.ports if port.ip}))


def sharing_key(lease: LeaseId, ip: str) -> str:
    """Services with the same key share an address: those of one tenant that name it alike."""
    named = ip if _PLAIN.fullmatch(ip) else f"x-{hashlib.sha256(ip.encode()).hexdigest()[:16]}"
    return f"{lease.order.owner}-ip-{named}"


def _leased(rendering: Rendering, service: Service, ip: str, pool: LeasedIpPool) -> Manifest:
    """Without node ports, which would be reached without the lease of an address."""
    workload = rendering.workload
    ports = _ports(port for port in service.ports if port.ip == ip)
    spec = {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False, "ports": ports}
    made = _service(rendering, service, naming.leased_ip_name(workload.id, service.name, ip), spec)
    made["metadata"]["annotations"] = {
        POOL: pool.name,
        SHARED: sharing_key(workload.lease, ip),
        naming.LEASED_IP: ip,
    }
    return made


def _service(rendering: Rendering, service: Service, name: str, spec: Manifest) -> Manifest:
    meta = {
        "name": name,
        "namespace": rendering.namespace,
        "labels": naming.labels(rendering.workload.id, service.name),
    }
    selector = naming.selector(rendering.workload.id, service.name)
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": selector} | spec}


def _ports(ports: Iterable[Port]) -> list[Manifest]:
    """Each outer port once: it may be on several addresses."""
    found: dict[str, Manifest] = {}
    for port in ports:
        exposed = port.exposed_as or port.port
        name = f"{port.protocol.lower()}-{exposed}"
        made = {"name": name, "port": exposed, "targetPort": port.port, "protocol": port.protocol}
        found.setdefault(name, made)
    return list(found.values())
