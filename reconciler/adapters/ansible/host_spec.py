"""Values to orders: what a host is told, as plain data; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.adapters.ansible.naming import container_name, network_name
from reconciler.values.capabilities import CAPABILITIES
from reconciler.values.desired import Port, Service, Workload
from reconciler.values.hosts import AnsibleSettings, ContainerEngine
from reconciler.values.ids import WorkloadId
from reconciler.values.images import denied_by
from reconciler.values.resources import Resources

Order = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SpecSettings:
    """What an order takes from the settings and the chosen host; `gpus` are all that the host has."""

    settings: AnsibleSettings
    gpus: int = 0


def host_spec_of(workload: Workload, digest: str, making: SpecSettings) -> Order:
    """All that a host needs to know to run a workload, or to keep it paused."""
    containers = [
        _container(workload, service, index, making)
        for service in workload.services
        for index in range(service.count)
    ]
    return {
        "workload": workload.id,
        "lease": str(workload.lease),
        "digest": digest,
        "paused": workload.paused,
        "network": network_name(workload.id),
        "containers": containers,
        "resources": amounts(workload.resources),
        "ports": sorted({port for port, _ in public_ports(workload)}),
        "stop_seconds": making.settings.patience.stop,
    }


def public_ports(workload: Workload) -> list[tuple[int, str]]:
    """The ports, with their protocol, that a workload takes of its host."""
    ports = [port for service in workload.services for port in service.ports if port.public]
    return [(outside(port), port.protocol.lower()) for port in ports]


def outside(port: Port) -> int:
    """The port under which others reach it."""
    return port.exposed_as or port.port


def amounts(resources: Resources) -> dict[str, int]:
    """Resources as an order carries them."""
    return {
        "cpu_milli": resources.cpu_milli,
        "memory_bytes": resources.memory_bytes,
        "storage_bytes": resources.storage_bytes,
        "gpu": resources.gpu,
    }


def work_order(orders: Iterable[Order], engine: ContainerEngine, settings: AnsibleSettings) -> Order:
    """One host's share of a run: workloads to apply (an order each) and to remove."""
    listed = list(orders)
    wanted = {ref for each in listed for ref in _references(each.get("order") or {})}
    asked = asking("work", engine, settings, settings.patience.apply) | {"orders": listed}
    return asked | ({"wanted_secrets": sorted(wanted)} if wanted else {})


def asking(
    operation: str, engine: ContainerEngine, settings: AnsibleSettings, seconds: int, **more: Any
) -> Order:
    """Any other order."""
    made = {"operation": operation, "engine": engine, "seconds": seconds, "directory": settings.storage}
    return made | more


def applying(order: Order) -> Order:
    """A part of a work order."""
    return {"do": "apply", "workload": order["workload"], "order": order}


def removing(workload: WorkloadId) -> Order:
    """A part of a work order."""
    return {"do": "remove", "workload": workload}


def _references(order: Mapping[str, Any]) -> Iterable[str]:
    return (ref for each in order.get("containers") or () for _, ref in each["secrets"])


def _container(workload: Workload, service: Service, index: int, making: SpecSettings) -> Order:
    """`neighbours` count in its mark: a container is told the addresses of the others when it is made."""
    isolation = making.settings.isolation
    made: Order = {
        "name": container_name(workload.id, service.name, index),
        "neighbours": sorted({each.name for each in workload.services} - {service.name}),
        "service": service.name,
        "index": index,
        "network": network_name(workload.id),
        "image": service.image,
        "command": list(service.command),
        "args": list(service.args),
        "env": [[env.name, env.value or ""] for env in service.env if env.secret is None],
        "secrets": [[env.name, env.secret] for env in service.env if env.secret is not None],
        "publish": _published(service, making) if index == 0 else [],
        "capabilities": list(CAPABILITIES),
        "processes": isolation.processes,
        "read_only": bool(denied_by(service.image, isolation.read_only_images)),
        "storage_quota": isolation.storage_quota,
        "gpus_of_host": making.gpus if service.resources.gpu else 0,
    } | amounts(service.resources)
    mark = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]
    return made | {"spec": mark}


def _published(service: Service, making: SpecSettings) -> list[list[Any]]:
    """The first container of a service answers its public ports."""
    public = [port for port in service.ports if port.public]
    address = making.settings.publish
    return [[address, outside(port), port.port, port.protocol.lower()] for port in public]
