"""A workload file to fill in, made of what was leased. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.values.desired import Port, Service, Workload
from reconciler.values.features import ARCHITECTURE
from reconciler.values.gpus import gpus_of_keys
from reconciler.values.ids import LeaseId, workload_id
from reconciler.values.resources import LEASED_IP, SHARED_HTTP, SHARED_MEMORY_CLASS, ResourceUnit
from reconciler.values.specification import (
    DEFAULT_CLASS,
    HTTP_PORT,
    ServiceVolume,
)

IMAGE = "registry.example.com/change-me:1"
"""In place of the image, which the order does not name."""

FIRST_PORT = 8080


def skeleton_of(lease: LeaseId, units: tuple[ResourceUnit, ...], adapter: str = "") -> Workload:
    """The workload with a service for each line of the lease's group; its images are to be changed."""
    services = tuple(_service(f"service-{number}", unit) for number, unit in enumerate(units, start=1))
    return Workload(workload_id(lease), lease, services, adapter)


def _service(name: str, unit: ResourceUnit) -> Service:
    return Service(
        name=name,
        image=IMAGE,
        resources=unit.one,
        count=unit.count,
        arch=dict(unit.cpu_attributes).get(ARCHITECTURE, ""),
        gpu_models=gpus_of_keys(key for key, _ in unit.gpu_attributes) if unit.gpu else (),
        volumes=tuple(_volumes(unit)),
        ports=tuple(_ports(unit)),
    )


def _volumes(unit: ResourceUnit) -> Iterator[ServiceVolume]:
    """The volumes that must be mounted to be used; ephemeral ones are storage of the container itself."""
    for volume in unit.storage:
        if volume.storage_class == SHARED_MEMORY_CLASS:
            yield ServiceVolume(volume.name, volume.size_bytes, "/dev/shm", SHARED_MEMORY_CLASS)  # noqa: S108  # in the container
        elif volume.is_persistent:
            storage_class = volume.storage_class or DEFAULT_CLASS
            yield ServiceVolume(volume.name, volume.size_bytes, f"/data/{volume.name}", storage_class)


def _ports(unit: ResourceUnit) -> Iterator[Port]:
    """A port for each endpoint: the first HTTP one gets the outer port 80; those on one leased address have
    one name.
    """
    outer_ports = iter((HTTP_PORT,))
    for port, endpoint in enumerate(unit.endpoints, start=FIRST_PORT):
        ip = f"ip-{endpoint.sequence_number}" if endpoint.kind == LEASED_IP else ""
        exposed_as = next(outer_ports, 0) if endpoint.kind == SHARED_HTTP else 0
        yield Port(port, exposed_as=exposed_as, public=True, ip=ip)
