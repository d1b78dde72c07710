"""The specification of a group of a manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.manifest import (
    AttributeEntry,
    ManifestExpose,
    ManifestGroup,
    ManifestService,
    StorageAmount,
    UnitAmount,
)
from reconciler.manifests.sdl_devices import CLASS, PERSISTENT, RAM
from reconciler.values.desired import Env, Port, Service
from reconciler.values.gpus import gpus_of_keys
from reconciler.values.images import hub_or_named
from reconciler.values.resources import Resources
from reconciler.values.specification import (
    DEFAULT_CLASS,
    DEFAULT_HTTP,
    HttpOptions,
    ImageCredentials,
    ServiceVolume,
    storage_classes,
)

NAME_MAX = 63
PORT_MAX = 65_535


@dataclass(frozen=True, slots=True)
class Specification:
    """The services of one lease. `notes` are sentences on parts of the manifest that have no effect here, or
    that its reader must complete.
    """

    services: tuple[Service, ...]
    notes: tuple[str, ...] = ()


def specification_of(
    group: ManifestGroup, dependencies: Mapping[str, tuple[str, ...]] | None = None
) -> Specification:
    """The specification of a checked group; ManifestError for what none can say.

    A manifest has no `dependencies`: they are those of its SDL file. Passwords are left out: each becomes a
    reference to the secret `<service>-registry/password`.
    """
    builder = _Builder(frozenset(service.name for service in group.services or ()), dependencies or {})
    if repeated := [
        name for name, count in Counter(each.name for each in group.services or ()).items() if count > 1
    ]:
        raise ManifestError(f"group {group.name} has two services of the name {repeated[0]}")
    services = tuple(builder.service(service) for service in group.services or () if service.count)
    idle = [service.name for service in group.services or () if not service.count]
    notes = [f"service {name} has no container and is left out" for name in idle]
    if not services:
        raise ManifestError(f"group {group.name} runs no container")
    return Specification(services, (*notes, *builder.notes))


@dataclass(slots=True)
class _Builder:
    """Converts services, and gathers notes."""

    names: frozenset[str]
    dependencies: Mapping[str, tuple[str, ...]]
    notes: list[str] = field(default_factory=list)

    def service(self, service: ManifestService) -> Service:
        """One service."""
        where, resources = f"service {service.name}", service.resources
        if len(service.name) > NAME_MAX:
            raise ManifestError(f"{where[:NAME_MAX]}... has a name of more than {NAME_MAX} characters")
        cpu, gpu, memory = resources.cpu, resources.gpu, resources.memory
        assert cpu is not None, "checked before"
        assert gpu is not None, "checked before"
        assert memory is not None, "checked before"
        storage = sum(_number(volume.size) for volume in resources.storage or ())
        gpus, volumes = _number(gpu.units), tuple(self._volumes(service, where))
        models = gpus_of_keys(entry.key for entry in gpu.attributes or ()) if gpus else ()
        return Service(
            name=service.name,
            image=_image(service.image, where),
            resources=Resources(
                _number(cpu.units),
                _number(memory.size),
                storage,
                gpus,
                storage_classes(volumes),
                ((models, gpus),) if models else (),
            ),
            count=service.count,
            command=service.command or (),
            args=service.args or (),
            env=_environment(service.env or ()),
            ports=self._ports(service, where),
            arch=_attributes(cpu.attributes).get("arch", ""),
            gpu_models=models,
            volumes=volumes,
            credentials=self._credentials(service, where),
            dependencies=self._dependencies(service.name),
        )

    def _ports(self, service: ManifestService, where: str) -> tuple[Port, ...]:
        """Each outer port once: its recipients are joined, as a global port is reached from inside, too."""
        found: dict[tuple[int, str, str], Port] = {}
        first_keys: dict[tuple[int, str], tuple[int, str, str]] = {}
        ports = [self._port(expose, where) for expose in service.expose or ()]
        for port in sorted(ports, key=lambda port: not port.public):
            outer = port.exposed_as or port.port
            key = (outer, port.protocol, port.ip)
            first = first_keys.setdefault(key[:2], key)
            if first not in found or (port.ip and key not in found):
                found[key] = port
                continue
            known = found[first]
            if known.port != port.port:
                self.notes.append(f"{where}: the outer port {outer} leads to port {known.port} only")
            elif known.service != port.service:
                found[first] = replace(known, service="")
        return tuple(found.values())

    def _port(self, expose: ManifestExpose, where: str) -> Port:
        named = f"{where}, port {expose.port}"
        if expose.external_port > PORT_MAX:
            raise ManifestError(f"{named}: the outer port {expose.external_port} is above {PORT_MAX}")
        hosts, http = expose.hosts or (), _http(expose)
        if not expose.is_ingress:
            if hosts or http != DEFAULT_HTTP:
                self.notes.append(f"{named}: host names and HTTP options count for a global TCP port 80 only")
            hosts, http = (), DEFAULT_HTTP
        recipient = expose.service if expose.service in self.names else ""
        if expose.service and not recipient:
            self.notes.append(f"{named}: there is no service {expose.service}")
        return Port(
            port=expose.port,
            exposed_as=expose.external_port,
            protocol=expose.protocol,
            public=expose.is_global,
            service="" if expose.is_global else recipient,
            ip=expose.ip if expose.is_global else "",
            hosts=hosts,
            http=http,
        )

    def _volumes(self, service: ManifestService, where: str) -> Iterator[ServiceVolume]:
        """The volumes with a mount path; ephemeral ones without are storage of the container itself."""
        mounts = {each.name: each for each in (service.params.storage if service.params else None) or ()}
        for volume in service.resources.storage or ():
            mount, storage_class = mounts.pop(volume.name, None), _class_of(volume)
            if mount is not None and mount.mount:
                size = _number(volume.size)
                yield ServiceVolume(volume.name, size, mount.mount, storage_class, mount.read_only)
            elif storage_class:
                self.notes.append(f"{where}: volume {volume.name} has no mount path, so it is not mounted")
        self.notes += [f"{where}: there is no volume {name} to mount" for name in mounts]

    def _credentials(self, service: ManifestService, where: str) -> ImageCredentials | None:
        given = service.credentials
        if given is None:
            return None
        secret = f"{service.name}-registry/password"
        self.notes.append(
            f"{where}: the password of {given.host} is not written; store it as the secret {secret}, and "
            "grant that in the host file"
        )
        return ImageCredentials(given.host, given.username, secret, email=given.email)

    def _dependencies(self, name: str) -> tuple[str, ...]:
        wanted = dict.fromkeys(self.dependencies.get(name, ()))
        self.notes += [
            f"service {name}: there is no service {each}" for each in wanted if each not in self.names
        ]
        return tuple(each for each in wanted if each in self.names)


def _number(amount: UnitAmount) -> int:
    return amount.val or 0


def _image(text: str, where: str) -> str:
    try:
        return hub_or_named(text)
    except ValueError as error:
        raise ManifestError(f"{where}: image {text!r} {error}") from None


def _environment(variables: tuple[str, ...]) -> tuple[Env, ...]:
    """One of a name: the last, as for a process."""
    pairs = (variable.partition("=") for variable in variables)
    return tuple(Env(name, value) for name, value in {name: value for name, _, value in pairs}.items())


def _http(expose: ManifestExpose) -> HttpOptions:
    given = expose.http_options
    return HttpOptions(
        given.max_body_size or DEFAULT_HTTP.body_bytes_max,
        given.read_timeout or DEFAULT_HTTP.read_timeout_milliseconds,
        given.send_timeout or DEFAULT_HTTP.send_timeout_milliseconds,
        given.next_tries or DEFAULT_HTTP.next_tries,
        given.next_timeout,
        given.next_cases or DEFAULT_HTTP.next_cases,
    )


def _attributes(entries: tuple[AttributeEntry, ...] | None) -> dict[str, str]:
    return {entry.key: entry.value for entry in entries or ()}


def _class_of(volume: StorageAmount) -> str:
    """ "" for ephemeral storage; a persistent volume without a class is of the default one."""
    attributes = _attributes(volume.attributes)
    storage_class = attributes.get(CLASS, "")
    if storage_class == RAM:
        return RAM
    return (storage_class or DEFAULT_CLASS) if attributes.get(PERSISTENT) == "true" else ""
