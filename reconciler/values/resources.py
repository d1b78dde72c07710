"""Resources of machines and orders: exact integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from typing import ClassVar, TypeVar

from reconciler.values.gpus import GpuModel, gpus_of_keys, has_model
from reconciler.values.key_patterns import has_match, matches

MB = 1 << 20
"""A MB of the state repository is 2^20 bytes."""

Attribute = tuple[str, str]

USAGE_BILLED: Attribute = ("billing", "usage")
"""An order with this attribute is bid at the minimum and billed by usage; our record must have it too."""


SHARED_MEMORY_CLASS = "ram"
STORAGE_CLASSES = ("beta1", "beta2", "beta3", "default", SHARED_MEMORY_CLASS)
"""The classes of storage that an order can name; `ram` is shared memory."""

Kind = TypeVar("Kind")
Parts = tuple[tuple[Kind, int], ...]
"""How much of a resource is of each kind, in the order of the kinds."""


@dataclass(frozen=True, slots=True)
class Resources:
    """A vector keyed by kind: millicores, bytes, bytes, count of GPUs; endpoints, and leased IP addresses.

    `storage_classes` are the parts of `storage_bytes` that are of a class, the rest is ephemeral;
    `gpu_models` are the parts of `gpu` by the models that are accepted, the rest may be of any.
    Machines are compared by the amounts of `KINDS`, and by the models of their GPUs where they name any.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("cpu", "memory", "storage", "gpu")

    cpu_milli: int = 0
    memory_bytes: int = 0
    storage_bytes: int = 0
    gpu: int = 0
    storage_classes: Parts[str] = ()
    gpu_models: Parts[tuple[GpuModel, ...]] = ()
    endpoints: int = 0
    leased_ips: int = 0

    @property
    def amounts(self) -> tuple[int, ...]:
        """The amounts in the order of `KINDS`."""
        return self.cpu_milli, self.memory_bytes, self.storage_bytes, self.gpu

    @property
    def has_kinds(self) -> bool:
        """Whether it has more than the amounts of `KINDS`."""
        return bool(self.storage_classes or self.gpu_models or self.endpoints or self.leased_ips)

    @property
    def on_machine(self) -> Resources:
        """What a machine itself gives: without persistent volumes, and without shared memory, which counts
        against the memory.
        """
        if not self.storage_classes:
            return self
        elsewhere = sum(part for _, part in self.storage_classes)
        return replace(self, storage_bytes=self.storage_bytes - elsewhere, storage_classes=())

    @property
    def volumes(self) -> Parts[str]:
        """Its persistent volumes by class."""
        return tuple(part for part in self.storage_classes if part[0] != SHARED_MEMORY_CLASS)

    @property
    def kinds(self) -> Resources:
        """What it has besides the amounts of `KINDS`."""
        return replace(self, cpu_milli=0, memory_bytes=0, storage_bytes=0, gpu=0)

    def __add__(self, other: Resources) -> Resources:
        return Resources(
            self.cpu_milli + other.cpu_milli,
            self.memory_bytes + other.memory_bytes,
            self.storage_bytes + other.storage_bytes,
            self.gpu + other.gpu,
            _sum(self.storage_classes, other.storage_classes),
            _sum(self.gpu_models, other.gpu_models),
            self.endpoints + other.endpoints,
            self.leased_ips + other.leased_ips,
        )

    def __sub__(self, other: Resources) -> Resources:
        if self.has_kinds or other.has_kinds:
            return self + other.times(-1)
        return Resources(
            self.cpu_milli - other.cpu_milli,
            self.memory_bytes - other.memory_bytes,
            self.storage_bytes - other.storage_bytes,
            self.gpu - other.gpu,
        )

    def times(self, count: int) -> Resources:
        """`count` of these."""
        return Resources(
            self.cpu_milli * count,
            self.memory_bytes * count,
            self.storage_bytes * count,
            self.gpu * count,
            tuple((kind, part * count) for kind, part in self.storage_classes),
            tuple((kind, part * count) for kind, part in self.gpu_models),
            self.endpoints * count,
            self.leased_ips * count,
        )

    def without_negatives(self) -> Resources:
        """The resources, with negative amounts as 0."""
        return Resources(
            max(self.cpu_milli, 0), max(self.memory_bytes, 0), max(self.storage_bytes, 0), max(self.gpu, 0)
        )

    def percent(self, percent: int) -> Resources:
        """So many percent of each amount, rounded down."""
        cpu, memory, storage, gpu = (amount * percent // 100 for amount in self.amounts)
        return Resources(cpu, memory, storage, gpu)

    def least(self, other: Resources) -> Resources:
        """The smaller amount of each."""
        cpu, memory, storage, gpu = map(min, self.amounts, other.amounts)
        return Resources(cpu, memory, storage, gpu)

    def lacks(self, wanted: Resources) -> tuple[str, ...]:
        """The names of the resources that are too small for `wanted`; empty if it fits."""
        each = zip(self.KINDS, self.amounts, wanted.amounts, strict=True)
        short = tuple(name for name, here, asked in each if asked > 0 and asked > here)
        if not short and wanted.gpu_models and self.gpu_models and self._lacks_model(wanted):
            return ("gpu of that model",)
        return short

    def _lacks_model(self, wanted: Resources) -> bool:
        """Whether it names models of its GPUs, none of which is accepted for a part of the wanted."""
        named = [model for models, count in self.gpu_models if count > 0 for model in models]
        parts = [accepted for accepted, count in wanted.gpu_models if count > 0]
        return bool(named) and not all(has_model(named, accepted) for accepted in parts)

    def covers(self, wanted: Resources) -> bool:
        """Whether it lacks nothing of `wanted`; faster than `lacks`."""
        return (
            (wanted.cpu_milli <= self.cpu_milli or wanted.cpu_milli <= 0)
            and (wanted.memory_bytes <= self.memory_bytes or wanted.memory_bytes <= 0)
            and (wanted.storage_bytes <= self.storage_bytes or wanted.storage_bytes <= 0)
            and (wanted.gpu <= self.gpu or wanted.gpu <= 0)
            and not (wanted.gpu_models and self.gpu_models and self._lacks_model(wanted))
        )

    def describe(self) -> str:
        """`1000m cpu, 1024 MB memory, 1024 MB storage, 0 gpu`."""
        return (
            f"{self.cpu_milli}m cpu, {self.memory_bytes // MB} MB memory, "
            f"{self.storage_bytes // MB} MB storage, {self.gpu} gpu"
        )


def _sum(one: Parts[Kind], other: Parts[Kind]) -> Parts[Kind]:
    if not one or not other:
        return one or other
    found = dict(one)
    for kind, part in other:
        found[kind] = found.get(kind, 0) + part
    return tuple(sorted((kind, part) for kind, part in found.items() if part))


def classes_beyond(granted: Resources, wanted: Resources) -> tuple[str, ...]:
    """The storage classes of which more is wanted than granted."""
    have = dict(granted.storage_classes)
    return tuple(
        f"storage of class {name}" for name, size in wanted.storage_classes if size > have.get(name, 0)
    )


def total(parts: list[Resources]) -> Resources:
    """The sum; zero for an empty list."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Resources()
    cpu, memory, storage, gpu = map(sum, zip(*(part.amounts for part in parts), strict=True))
    plain = Resources(cpu, memory, storage, gpu)
    kinds = [part.kinds for part in parts if part.has_kinds]
    return reduce(Resources.__add__, kinds, plain) if kinds else plain


@dataclass(frozen=True, slots=True)
class Volume:
    """One storage volume of a unit."""

    name: str
    size_bytes: int
    attributes: tuple[Attribute, ...] = ()

    @property
    def storage_class(self) -> str:
        """The class that it names ("": ephemeral). A key is a pattern, as for the chain (semantics 3.2)."""
        named = (value for key, value in self.attributes if matches(key, "class"))
        return next((value for value in named if value in STORAGE_CLASSES), "")

    @property
    def is_persistent(self) -> bool:
        """Whether its data outlives a container."""
        return any(value == "true" for key, value in self.attributes if matches(key, "persistent"))


SHARED_HTTP, RANDOM_PORT, LEASED_IP = 0, 1, 2
"""The kinds of endpoints on the chain."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An exposed endpoint of a kind. Ports on one leased address share
    its sequence number.
    """

    kind: int
    sequence_number: int = 0


@dataclass(frozen=True, slots=True)
class ResourceUnit:
    """One line of a group: `count` equal units and the tenant's highest price for one, per block.

    It has everything that a bid's offer must repeat verbatim (semantics 3.2, point 5).
    """

    id: int
    count: int
    cpu_milli: int
    memory_bytes: int
    storage: tuple[Volume, ...]
    gpu: int
    price: Decimal
    denom: str
    cpu_attributes: tuple[Attribute, ...] = ()
    memory_attributes: tuple[Attribute, ...] = ()
    gpu_attributes: tuple[Attribute, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()

    @property
    def one(self) -> Resources:
        """The resources of one unit."""
        return Resources(
            self.cpu_milli,
            self.memory_bytes,
            sum(v.size_bytes for v in self.storage),
            self.gpu,
            _storage_classes(self.storage),
            _gpu_models(self),
        )

    @property
    def pieces(self) -> tuple[Resources, ...]:
        """The resources of each of its units."""
        return (self.one,) * self.count

    @property
    def all(self) -> Resources:
        """The resources of all `count` units."""
        return self.one.times(self.count)


def _storage_classes(volumes: tuple[Volume, ...]) -> Parts[str]:
    parts: Parts[str] = ()
    for volume in volumes:
        if volume.attributes and (name := volume.storage_class):
            parts = _sum(parts, ((name, volume.size_bytes),))
    return parts


def _gpu_models(unit: ResourceUnit) -> Parts[tuple[GpuModel, ...]]:
    return ((gpus_of_keys(key for key, _ in unit.gpu_attributes), unit.gpu),) if unit.gpu else ()


def group_resources(units: Sequence[ResourceUnit]) -> Resources:
    """What a group leases: its units, and their endpoints and addresses once, however many replicas share
    them.
    """
    exposed = [endpoint for unit in units for endpoint in unit.endpoints]
    addresses = {endpoint.sequence_number for endpoint in exposed if endpoint.kind == LEASED_IP}
    ports = sum(1 for endpoint in exposed if endpoint.kind != LEASED_IP)
    return total([unit.all for unit in units]) + Resources(endpoints=ports, leased_ips=len(addresses))


@dataclass(frozen=True, slots=True)
class Demand:
    """What a price depends on: resources, the tenant who leases them, and the attributes that the order
    requires.
    """

    resources: Resources
    tenant: str = ""
    attributes: tuple[Attribute, ...] = ()

    def requires(self, attribute: Attribute) -> bool:
        """Whether the order requires it; its keys are patterns, as for the chain (semantics 3.2)."""
        return any(has_match(wanted, (attribute,)) for wanted in self.attributes)
