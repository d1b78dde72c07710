"""The results of an SDL file: the groups of the deployment on the chain, and the provider's manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from reconciler.manifests.groups import ABSENT, GroupSpec, check_groups
from reconciler.manifests.manifest import (
    AttributeEntry,
    CpuAmount,
    CredentialsEntry,
    DeploymentManifest,
    EndpointAmount,
    GpuAmount,
    ManifestExpose,
    ManifestGroup,
    ManifestService,
    MemoryAmount,
    ServiceParameters,
    StorageAmount,
    UnitAmount,
    UnitResources,
    VolumeMount,
)
from reconciler.manifests.manifest_checks import check_manifest
from reconciler.manifests.sdl import DeployedEntry, SdlFile, ServiceEntry, read_sdl
from reconciler.manifests.sdl_checks import check_sdl, check_size
from reconciler.manifests.sdl_exposes import manifest_exposes
from reconciler.manifests.sdl_profiles import PlacementEntry, PriceEntry, ResourcesEntry
from reconciler.values.resources import Attribute, Endpoint, ResourceUnit, Volume


@dataclass(frozen=True, slots=True)
class SdlDeployment:
    """The deployment of an SDL file; its manifest does not hold the services' `dependencies`."""

    groups: tuple[GroupSpec, ...]
    manifest: DeploymentManifest
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_deployment(content: bytes) -> SdlDeployment:
    """Read and check an SDL file in the reference's order; ManifestError with its text."""
    file = read_sdl(content)
    check_size(file)
    exposes = _exposes(file)
    check_sdl(file)
    groups = tuple(_Group(file, name, exposes).built(placed) for name, placed in _placements(file))
    specs = tuple(spec for spec, _ in groups)
    check_groups(specs)
    manifest = DeploymentManifest(tuple(group for _, group in groups))
    check_manifest(manifest)
    named = {name: entry.dependencies or () for name, entry in file.services.items()}
    dependencies = {name: tuple(each.service for each in entries) for name, entries in named.items()}
    return SdlDeployment(specs, manifest, dependencies)


def _placements(file: SdlFile) -> list[tuple[str, list[tuple[str, DeployedEntry]]]]:
    """The services of each placement, sorted by placement and service."""
    found: dict[str, list[tuple[str, DeployedEntry]]] = {}
    for service, placement, deployed in file.placements():
        found.setdefault(placement, []).append((service, deployed))
    return sorted(found.items(), key=lambda item: item[0])


def _exposes(file: SdlFile) -> dict[str, tuple[ManifestExpose, ...]]:
    """The exposes of each deployed service."""
    numbers = _sequence_numbers(file)
    return {
        service: manifest_exposes(file.services[service].expose or (), numbers)
        for service in dict.fromkeys(service for service, _, _ in file.placements())
        if service in file.services
    }


def _sequence_numbers(file: SdlFile) -> dict[str, int]:
    """The number of each leased IP: recipients that are not plainly global are counted in the order of
    their IPs' names ("" first), and a name has the number of its last one.
    """
    names = [
        to.ip
        for service in sorted(file.deployment)
        if service in file.services
        for expose in file.services[service].expose or ()
        for to in expose.to or ()
        if to.ip or not to.is_global
    ]
    return {name: number for number, name in enumerate(sorted(names), 1)}


class _Group:
    """Builds one group from the services of a placement, in the order of their names."""

    def __init__(self, file: SdlFile, name: str, exposes: dict[str, tuple[ManifestExpose, ...]]) -> None:
        self._file = file
        self._name = name
        self._exposes = exposes
        self._units: list[ResourceUnit] = []
        self._shared: dict[str, int] = {}
        self._placement: PlacementEntry = (file.profiles.placement or {})[name]

    def built(self, placed: list[tuple[str, DeployedEntry]]) -> tuple[GroupSpec, ManifestGroup]:
        """The group on the chain and that of the manifest."""
        services = tuple(self._service(service, deployed) for service, deployed in placed)
        placement = self._placement
        spec = GroupSpec(
            self._name,
            tuple(self._units),
            placement.attributes,
            placement.signed_by.all_of or (),
            placement.signed_by.any_of or (),
        )
        return spec, ManifestGroup(self._name, services)

    def _service(self, name: str, deployed: DeployedEntry) -> ManifestService:
        entry, exposes = self._file.services[name], self._exposes[name]
        compute = (self._file.profiles.compute or {})[deployed.profile].resources
        assert compute is not None, "check_sdl refuses a profile without resources"
        endpoints = tuple(endpoint for expose in exposes for endpoint in expose.endpoints)
        number = self._unit(deployed, compute, endpoints)
        return ManifestService(
            name=name,
            image=entry.image,
            command=entry.command,
            args=entry.args,
            env=entry.env,
            resources=_resources(number, compute, endpoints),
            count=deployed.count,
            expose=exposes,
            params=_parameters(entry),
            credentials=_credentials(entry, is_trimmed=self._file.shares_units),
        )

    def _unit(
        self, deployed: DeployedEntry, compute: ResourcesEntry, endpoints: tuple[EndpointAmount, ...]
    ) -> int:
        """The id of the unit that pays for a service: its own, or since 2.1 that of its profile."""
        added = tuple(Endpoint(each.kind, each.sequence_number) for each in endpoints)
        shared = self._shared.get(deployed.profile) if self._file.shares_units else None
        if shared is not None:
            unit = self._units[shared]
            together = sorted((*unit.endpoints, *added), key=lambda endpoint: endpoint.sequence_number)
            self._units[shared] = replace(unit, count=unit.count + deployed.count, endpoints=tuple(together))
            return unit.id
        self._shared[deployed.profile] = len(self._units)
        price = (self._placement.pricing or {})[deployed.profile]
        self._units.append(_new_unit(len(self._units) + 1, deployed.count, compute, price))
        self._units[-1] = replace(self._units[-1], endpoints=added)
        return self._units[-1].id


def _new_unit(number: int, count: int, compute: ResourcesEntry, price: PriceEntry) -> ResourceUnit:
    return ResourceUnit(
        id=number,
        count=count,
        cpu_milli=compute.cpu.units if compute.cpu else ABSENT,
        memory_bytes=compute.memory.size if compute.memory else ABSENT,
        storage=tuple(Volume(v.name, v.size, v.attributes) for v in compute.storage),
        gpu=compute.gpu.units if compute.gpu else 0,
        price=price.amount,
        denom=price.denom,
        cpu_attributes=compute.cpu.attributes if compute.cpu else (),
        gpu_attributes=compute.gpu.attributes if compute.gpu else (),
    )


def _resources(number: int, compute: ResourcesEntry, endpoints: tuple[EndpointAmount, ...]) -> UnitResources:
    unit = _new_unit(number, 0, compute, PriceEntry("", Decimal(0)))
    return UnitResources(
        id=number,
        cpu=CpuAmount(UnitAmount(unit.cpu_milli), _entries(unit.cpu_attributes)),
        memory=MemoryAmount(UnitAmount(unit.memory_bytes)),
        storage=tuple(
            StorageAmount(volume.name, UnitAmount(volume.size_bytes), _entries(volume.attributes))
            for volume in unit.storage
        ),
        gpu=GpuAmount(UnitAmount(unit.gpu), _entries(unit.gpu_attributes)),
        endpoints=endpoints,
    )


def _entries(attributes: tuple[Attribute, ...]) -> tuple[AttributeEntry, ...]:
    return tuple(AttributeEntry(key, value) for key, value in attributes)


def _parameters(entry: ServiceEntry) -> ServiceParameters | None:
    """Mounts in the order of the file; the reference's order is random, and so is its hash."""
    if entry.params is None:
        return None
    mounts = tuple(_mounts(entry))
    return ServiceParameters(mounts or None)


def _mounts(entry: ServiceEntry) -> Iterator[VolumeMount]:
    storage = entry.params.storage if entry.params else None
    for name, mount in (storage or {}).items():
        yield VolumeMount(name, mount.mount, mount.read_only)


def _credentials(entry: ServiceEntry, *, is_trimmed: bool) -> CredentialsEntry | None:
    """SDL 2.0 drops the address and keeps white space, 2.1 keeps the address and trims."""
    given = entry.credentials
    if given is None:
        return None
    if not is_trimmed:
        return replace(given, email="")
    fields = (given.host, given.email, given.username, given.password)
    return CredentialsEntry(*(text.strip() for text in fields))
