"""What a specification may need of an adapter beyond plain containers, and what an adapter lacks of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from reconciler.values.clusters import IngressController, KubernetesSettings
from reconciler.values.desired import AdapterSettings, Port, Service, Workload
from reconciler.values.gpus import GpuModel, gpus_of_keys, has_model
from reconciler.values.machines import Capacity
from reconciler.values.resources import LEASED_IP, SHARED_HTTP, SHARED_MEMORY_CLASS, ResourceUnit
from reconciler.values.specification import (
    DEFAULT_CLASS,
    DEFAULT_HTTP,
    DEFAULT_ROLLOUT,
    GRACE_SECONDS,
)

ANY_NVIDIA = GpuModel("nvidia")
"""The GPUs that all adapters count, whatever their model."""
ARCHITECTURE = "arch"
"""The attribute of CPUs, and of machines, that names the architecture."""
LISTED_MAX = 5
"""Missing features that a message lists."""


class Feature(StrEnum):
    """A part of a specification that not every adapter can provide."""

    PERSISTENT_VOLUME = "persistent volume"
    EPHEMERAL_VOLUME = "mounted ephemeral volume"
    SHARED_MEMORY = "shared memory"
    LEASED_IP = "leased IP address"
    HOST_NAME = "host name"
    HTTP_OPTIONS = "HTTP options"
    GPU_MODEL = "GPU model"
    ARCHITECTURE = "CPU architecture"
    IMAGE_CREDENTIALS = "image credentials"
    GRANTED_CREDENTIALS = "image credentials in a granted secret"
    PROBE = "probe"
    ROLLOUT = "rollout strategy"
    TERMINATION_GRACE = "termination grace"


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """A feature that is needed: `detail` distinguishes its kinds, `where` names the part that needs it; one
    of the `gpu_models` is.
    """

    feature: Feature
    detail: str = ""
    where: str = ""
    gpu_models: tuple[GpuModel, ...] = ()

    def __str__(self) -> str:
        text = f"{self.feature} {self.detail}".rstrip()
        return f"{text} ({self.where})" if self.where else text


@dataclass(frozen=True, slots=True)
class AdapterFeatures:
    """What an adapter provides: persistent volumes of these classes, machines of these architectures, and
    GPUs of these models. Without any, its machines do not name their models, only our provider record does.
    """

    features: frozenset[Feature] = frozenset()
    storage_classes: frozenset[str] = frozenset()
    architectures: frozenset[str] = frozenset()
    gpu_models: tuple[GpuModel, ...] = ()

    def provide(self, need: Need) -> bool:
        """Whether the adapter provides what is needed."""
        if need.feature is Feature.PERSISTENT_VOLUME:
            return need.detail in self.storage_classes
        if need.feature is Feature.ARCHITECTURE:
            return need.detail in self.architectures
        if need.feature is Feature.GPU_MODEL:
            return not self.gpu_models or has_model(self.gpu_models, need.gpu_models)
        return need.feature in self.features


_OF_KUBERNETES = frozenset(
    {
        Feature.EPHEMERAL_VOLUME,
        Feature.IMAGE_CREDENTIALS,
        Feature.SHARED_MEMORY,
        Feature.PROBE,
        Feature.ROLLOUT,
        Feature.TERMINATION_GRACE,
    }
)


def _features(settings: AdapterSettings) -> frozenset[Feature]:
    """Those that the settings alone decide on."""
    if not isinstance(settings, KubernetesSettings):
        return frozenset()
    found = set(_OF_KUBERNETES) | ({Feature.LEASED_IP} if settings.leased_ips else set())
    if settings.ingress:
        found.add(Feature.HOST_NAME)
        if settings.ingress.controller is IngressController.NGINX:
            found.add(Feature.HTTP_OPTIONS)
    return frozenset(found)


def features_of(settings: AdapterSettings, capacity: Capacity | None = None) -> AdapterFeatures:
    """What an adapter of these settings provides with this capacity (None: it is unseen)."""
    listed = capacity.machines if capacity else ()
    return AdapterFeatures(
        _features(settings),
        storage_classes=frozenset(name for name, _ in capacity.volumes) if capacity else frozenset(),
        architectures=frozenset(v for each in listed for key, v in each.attributes if key == ARCHITECTURE),
        gpu_models=tuple(model for each in listed if (model := each.gpu_model)),
    )


def unsupported(workload: Workload, adapter: AdapterFeatures) -> tuple[Need, ...]:
    """What a specification needs and the adapter lacks, in the order of its services."""
    return tuple(
        need for service in workload.services for need in needs_of(service) if not adapter.provide(need)
    )


def describe_needs(needs: tuple[Need, ...]) -> str:
    """The first few, and how many more there are."""
    shown = "; ".join(str(need) for need in needs[:LISTED_MAX])
    return shown + (f"; and {len(needs) - LISTED_MAX} more" if len(needs) > LISTED_MAX else "")


def needs_of(service: Service) -> Iterator[Need]:
    """The features that a service needs."""
    where = f"service {service.name}"
    for volume in service.volumes:
        named = f"{where}, volume {volume.name}"
        if volume.is_persistent:
            yield Need(Feature.PERSISTENT_VOLUME, volume.storage_class, named)
        else:
            yield Need(Feature.SHARED_MEMORY if volume.storage_class else Feature.EPHEMERAL_VOLUME, "", named)
    for port in service.ports:
        yield from _needs_of_port(port, f"{where}, port {port.port}")
    if service.arch:
        yield Need(Feature.ARCHITECTURE, service.arch, where)
    yield from _gpu_needs(service.gpu_models, where)
    if given := service.credentials:
        feature = Feature.GRANTED_CREDENTIALS if given.secret else Feature.IMAGE_CREDENTIALS
        yield Need(feature, given.host, where)
    if service.liveness or service.readiness:
        yield Need(Feature.PROBE, "", where)
    if service.rollout != DEFAULT_ROLLOUT:
        yield Need(Feature.ROLLOUT, service.rollout.strategy, where)
    if service.grace_seconds != GRACE_SECONDS:
        yield Need(Feature.TERMINATION_GRACE, f"{service.grace_seconds} s", where)


def _needs_of_port(port: Port, where: str) -> Iterator[Need]:
    if port.ip:
        yield Need(Feature.LEASED_IP, port.ip, where)
    for host in port.hosts:
        yield Need(Feature.HOST_NAME, host, where)
    if port.http != DEFAULT_HTTP:
        yield Need(Feature.HTTP_OPTIONS, "", where)


def _gpu_needs(models: tuple[GpuModel, ...], where: str) -> Iterator[Need]:
    if models and not any(model.includes(ANY_NVIDIA) for model in models):
        yield Need(Feature.GPU_MODEL, " or ".join(map(str, models)), where, models)


def needs_of_units(units: Iterable[ResourceUnit]) -> Iterator[Need]:
    """The features that a group of an order needs; where its volumes are mounted is not known yet."""
    for unit in units:
        for volume in unit.storage:
            if volume.storage_class == SHARED_MEMORY_CLASS:
                yield Need(Feature.SHARED_MEMORY)
            elif volume.is_persistent:
                yield Need(Feature.PERSISTENT_VOLUME, volume.storage_class or DEFAULT_CLASS)
        for key, value in unit.cpu_attributes:
            if key == ARCHITECTURE:
                yield Need(Feature.ARCHITECTURE, value)
        if unit.gpu and unit.gpu_attributes:
            yield from _gpu_needs(gpus_of_keys(key for key, _ in unit.gpu_attributes), "")
        kinds = {endpoint.kind for endpoint in unit.endpoints}
        if LEASED_IP in kinds:
            yield Need(Feature.LEASED_IP)
        if SHARED_HTTP in kinds:
            yield Need(Feature.HOST_NAME, "for HTTP on port 80")
