"""The consistency checks of an SDL file, in the reference's order and words."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.go_text import quoted
from reconciler.manifests.sdl import DeployedEntry, SdlFile, ServiceEntry, invalid, is_endpoint_name
from reconciler.manifests.sdl_devices import CLASS, PERSISTENT, RAM, VolumeEntry
from reconciler.manifests.sdl_exposes import ExposeEntry

ENDPOINT_KIND = "ip"
MANIFEST_CHARACTERS_MAX = 1 << 20
_PART_CHARACTERS = 100
"""Of a service, expose, volume or mount in the manifest without its texts, about."""


def check_size(file: SdlFile) -> None:
    """Raise ManifestError if the manifest would be too large, as each placement repeats its services."""
    services = {name: _service_characters(entry) for name, entry in file.services.items()}
    compute, characters = file.profiles.compute or {}, 0
    for service, _, deployed in file.placements():
        profile = compute.get(deployed.profile)
        volumes = profile.resources.storage if profile and profile.resources else ()
        characters += services.get(service, 0) + _PART_CHARACTERS * (1 + len(volumes))
        characters += sum(len(volume.name) for volume in volumes)
        if characters > MANIFEST_CHARACTERS_MAX:
            raise invalid(f"the manifest would have more than {MANIFEST_CHARACTERS_MAX} characters")


def _service_characters(entry: ServiceEntry) -> int:
    mounts = (entry.params.storage if entry.params else None) or {}
    given = entry.credentials
    texts = [entry.image, *(entry.command or ()), *(entry.args or ()), *(entry.env or ())]
    texts += [name + mounted.mount for name, mounted in mounts.items()]
    texts += [given.host, given.email, given.username, given.password] if given else []
    exposes = sum(
        max(1, len(expose.to or ())) * (_PART_CHARACTERS + sum(map(len, expose.accept or ())))
        for expose in entry.expose or ()
    )
    return sum(map(len, texts)) + 5 * len(texts) + _PART_CHARACTERS * len(mounts) + exposes


def check_sdl(file: SdlFile) -> None:
    """Raise ManifestError for the first fault."""
    for name, endpoint in file.endpoints.items():
        if not is_endpoint_name(name):
            raise invalid(f"endpoint named {quoted(name)} is not a valid name")
        if not endpoint.kind:
            raise invalid(f"endpoint named {quoted(name)} has no kind")
        if endpoint.kind != ENDPOINT_KIND:
            raise invalid(f"endpoint named {quoted(name)}, unknown kind {quoted(endpoint.kind)}")
    used = _UsedEndpoints()
    for service, placement, deployed in file.placements():
        entry = _defined(file, service, placement, deployed)
        _check_credentials(entry, f"{service}.{placement}")
        for expose in entry.expose or ():
            used.take(file, service, expose)
        compute = (file.profiles.compute or {})[deployed.profile].resources
        if compute is None:
            raise invalid(f"{service}.{placement}: the compute profile {deployed.profile} has no resources")
        _check_mounts(file, service, entry, {volume.name: volume for volume in compute.storage})
    for name in file.endpoints:
        if name not in used.names:
            raise invalid(f"endpoint {quoted(name)} declared but never used")


def _defined(file: SdlFile, service: str, placement: str, deployed: DeployedEntry) -> ServiceEntry:
    where, profile = f"{service}.{placement}", deployed.profile
    if profile not in (file.profiles.compute or {}):
        raise invalid(f"{where}: no compute profile named {profile}")
    infrastructure = (file.profiles.placement or {}).get(placement)
    if infrastructure is None:
        raise invalid(f"{where}: no placement profile named {placement}")
    if profile not in (infrastructure.pricing or {}):
        raise invalid(f"{where}: no pricing for profile {profile}")
    if service not in file.services:
        raise invalid(f"{where}: no service profile named {service}")
    return file.services[service]


def _check_credentials(entry: ServiceEntry, where: str) -> None:
    for name in ("host", "username", "password") if entry.credentials else ():
        if not getattr(entry.credentials, name).strip():
            raise invalid(f"{where}: service Credentials missing {name.title()}")


@dataclass(slots=True)
class _UsedEndpoints:
    """Which leased IPs are used, and which service has each of their ports."""

    names: set[str] = field(default_factory=set)
    _ports: dict[tuple[str, int, str], str] = field(default_factory=dict)

    def take(self, file: SdlFile, service: str, expose: ExposeEntry) -> None:
        """Take the ports of one expose."""
        for to in expose.to or ():
            if not to.ip:
                continue
            if not to.is_global:
                why = "if an IP is declared the directive must be declared as global"
                raise invalid(f"error on {quoted(service)} {why}")
            if to.ip not in file.endpoints:
                raise invalid(f"error on service {quoted(service)} no endpoint named {quoted(to.ip)} exists")
            self.names.add(to.ip)
            port = (to.ip, expose.external_port, expose.proto)
            if other := self._ports.get(port):
                raise invalid(
                    f"IP endpoint {quoted(to.ip)} port: {expose.port} protocol: {expose.proto} "
                    f"specified by service {quoted(service)} already in use by {quoted(other)}"
                )
            self._ports[port] = service


def _check_mounts(file: SdlFile, service: str, entry: ServiceEntry, volumes: dict[str, VolumeEntry]) -> None:
    """Since 2.1, volumes are checked by their own mounts only."""
    storage = (entry.params.storage if entry.params else None) or {}
    mounts: dict[str, str] = {}
    for name, mounted in storage.items():
        if name not in volumes:
            raise invalid(f'service "{service}" references to no-existing compute volume named "{name}"')
        if not mounted.mount.startswith("/"):
            where = f'"service.{service}.params.{name}.mount" parameter'
            raise invalid(f"invalid value for {where}. expected absolute path")
        if other := mounts.get(mounted.mount):
            where = f"mount {quoted(mounted.mount)} already in use by volume {quoted(other)}"
            raise ManifestError(f"sdl: duplicated mount point: {where}")
        mounts[mounted.mount] = name
        is_ram = dict(volumes[name].attributes).get(CLASS) == RAM
        if file.shares_units and is_ram and mounted.read_only:
            where = f"services.{service}.params.storage.{name}"
            raise invalid(f'{where} has readOnly=true which is not allowed for storage class "{RAM}"')
    if file.shares_units or storage:
        return
    for name, volume in volumes.items():
        if dict(volume.attributes).get(PERSISTENT) == "true":
            where = f"service.{service}.params.storage.{name}"
            raise invalid(f"compute.storage.{name} has persistent=true which requires {where} to have mount")
