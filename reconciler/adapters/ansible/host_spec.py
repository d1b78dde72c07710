"""Workloads to specifications for a host, and requests to hosts, as plain data; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from reconciler.values.desired import Service, Workload
from reconciler.values.hosts import AnsibleSettings, ContainerEngine
from reconciler.values.ids import WorkloadId
from reconciler.values.images import CAPABILITIES, denied_by
from reconciler.values.resources import Resources

NAME_MAX = 63
HostSpec = dict[str, Any]
"""A workload as a host runs it."""

HostRequest = dict[str, Any]
"""What one host does in one run: `operation` with its arguments."""


def host_spec_of(workload: Workload, digest: str, settings: AnsibleSettings, host_gpus: int = 0) -> HostSpec:
    """All that a host needs to run a workload or keep it paused; `host_gpus` is the number on that host."""
    containers = [
        _container(workload, service, index, settings)
        for service in workload.services
        for index in range(service.count)
    ]
    for each in containers:
        each["host_gpus"] = host_gpus if each["gpu"] else 0
        each["spec_hash"] = hashlib.sha256(json.dumps(each, sort_keys=True).encode()).hexdigest()[:16]
    return {
        "workload": workload.id,
        "lease": str(workload.lease),
        "digest": digest,
        "paused": workload.paused,
        "network": network_name(workload.id),
        "containers": containers,
        "resources": _amounts(workload.resources),
        "ports": sorted({port for port, _ in public_ports(workload)}),
        "stop_seconds": settings.timeouts.stop,
    }


def container_name(workload: WorkloadId, service: str, index: int) -> str:
    """Unique on a host among all tenants; a long service name is cut and made unique by a hash."""
    room = NAME_MAX - len(workload) - len(str(index)) - 2
    stem = service
    if len(stem) > room:
        suffix = hashlib.sha256(service.encode()).hexdigest()[:5]
        stem = f"{stem[: max(room - 6, 0)].rstrip('-')}-{suffix}".lstrip("-")
    return f"{stem}-{workload}-{index}"


def network_name(workload: WorkloadId) -> str:
    """The lease's own network."""
    return f"lease-{workload}"


def public_ports(workload: Workload) -> list[tuple[int, str]]:
    """The host ports that a workload occupies, each with its protocol in lower case."""
    ports = [port for service in workload.services for port in service.ports if port.public]
    return [(port.exposed_as or port.port, port.protocol.lower()) for port in ports]


def host_request(
    operation: str, engine: ContainerEngine, settings: AnsibleSettings, seconds: int, **arguments: Any
) -> HostRequest:
    """`operation` is observe, apply, logs, usage or events; `seconds` its deadline on the host."""
    request = {"operation": operation, "engine": engine, "seconds": seconds, "directory": settings.storage}
    return request | arguments


def apply_request(
    tasks: Iterable[HostRequest], engine: ContainerEngine, settings: AnsibleSettings
) -> HostRequest:
    """Tasks for one host, with the names (`name/key`) of the secrets that they need from the vault."""
    listed = list(tasks)
    containers = [each for task in listed for each in task.get("spec", {}).get("containers", ())]
    names = sorted({reference for each in containers for _, reference in each["secrets"]})
    request = host_request("apply", engine, settings, settings.timeouts.apply, tasks=listed)
    return request | ({"secret_names": names} if names else {})


def apply_task(spec: HostSpec) -> HostRequest:
    """Make a workload match its specification."""
    return {"workload": spec["workload"], "spec": spec}


def remove_task(workload: WorkloadId) -> HostRequest:
    """Remove a workload."""
    return {"workload": workload}


def _container(workload: Workload, service: Service, index: int, settings: AnsibleSettings) -> HostSpec:
    """`neighbours` changes the hash, because a container gets the others' addresses when it is created. Only
    the first container of a service publishes its public ports.
    """
    isolation = settings.isolation
    public = [port for port in service.ports if port.public and index == 0]
    return {
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
        "publish": [
            [settings.publish, port.exposed_as or port.port, port.port, port.protocol.lower()]
            for port in public
        ],
        "capabilities": list(CAPABILITIES),
        "pids_limit": isolation.pids_limit,
        "read_only": bool(denied_by(service.image, isolation.read_only_images)),
        "storage_quota": isolation.storage_quota,
    } | _amounts(service.resources)


def _amounts(resources: Resources) -> dict[str, int]:
    return {
        "cpu_milli": resources.cpu_milli,
        "memory_bytes": resources.memory_bytes,
        "storage_bytes": resources.storage_bytes,
        "gpu": resources.gpu,
    }
