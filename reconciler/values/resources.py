"""Resources of machines and orders: exact integers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

MB = 1 << 20
"""A MB of the state repository is 2^20 bytes."""

Attribute = tuple[str, str]

USAGE_BILLED: Attribute = ("billing", "usage")
"""An order with this attribute is bid at the minimum and billed by usage; our record must have it too."""


@dataclass(frozen=True, slots=True)
class Resources:
    """A vector keyed by kind: millicores, bytes, bytes, count of GPUs."""

    KINDS: ClassVar[tuple[str, ...]] = ("cpu", "memory", "storage", "gpu")

    cpu_milli: int = 0
    memory_bytes: int = 0
    storage_bytes: int = 0
    gpu: int = 0

    @property
    def amounts(self) -> tuple[int, ...]:
        """The amounts in the order of `KINDS`."""
        return self.cpu_milli, self.memory_bytes, self.storage_bytes, self.gpu

    def __add__(self, other: Resources) -> Resources:
        return Resources(
            self.cpu_milli + other.cpu_milli,
            self.memory_bytes + other.memory_bytes,
            self.storage_bytes + other.storage_bytes,
            self.gpu + other.gpu,
        )

    def __sub__(self, other: Resources) -> Resources:
        return Resources(
            self.cpu_milli - other.cpu_milli,
            self.memory_bytes - other.memory_bytes,
            self.storage_bytes - other.storage_bytes,
            self.gpu - other.gpu,
        )

    def times(self, count: int) -> Resources:
        """`count` of these."""
        return Resources(
            self.cpu_milli * count, self.memory_bytes * count, self.storage_bytes * count, self.gpu * count
        )

    def without_negatives(self) -> Resources:
        """The resources, with negative amounts as 0."""
        return Resources(
            max(self.cpu_milli, 0), max(self.memory_bytes, 0), max(self.storage_bytes, 0), max(self.gpu, 0)
        )

    def percent(self, percent: int) -> Resources:
        """So many percent of each, rounded down."""
        return Resources(*(amount * percent // 100 for amount in self.amounts))

    def least(self, other: Resources) -> Resources:
        """The smaller amount of each kind."""
        return Resources(*map(min, self.amounts, other.amounts))

    def lacks(self, wanted: Resources) -> tuple[str, ...]:
        """The names of the resources that are too small for `wanted`; empty if it fits."""
        each = zip(self.KINDS, self.amounts, wanted.amounts, strict=True)
        return tuple(name for name, here, asked in each if asked > 0 and asked > here)

    def covers(self, wanted: Resources) -> bool:
        """Whether it lacks nothing of `wanted`; faster than `lacks`."""
        return (
            (wanted.cpu_milli <= self.cpu_milli or wanted.cpu_milli <= 0)
            and (wanted.memory_bytes <= self.memory_bytes or wanted.memory_bytes <= 0)
            and (wanted.storage_bytes <= self.storage_bytes or wanted.storage_bytes <= 0)
            and (wanted.gpu <= self.gpu or wanted.gpu <= 0)
        )

    def describe(self) -> str:
        """`1000m cpu, 1024 MB memory, 1024 MB storage, 0 gpu`."""
        return (
            f"{self.cpu_milli}m cpu, {self.memory_bytes // MB} MB memory, "
            f"{self.storage_bytes // MB} MB storage, {self.gpu} gpu"
        )


def total(parts: list[Resources]) -> Resources:
    """The sum; zero for an empty list."""
    if len(parts) == 1:
        return parts[0]
    return Resources(*map(sum, zip(*(part.amounts for part in parts), strict=True)))


@dataclass(frozen=True, slots=True)
class Volume:
    """One storage volume of a unit."""

    name: str
    size_bytes: int
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An exposed endpoint: kind 0 SHARED_HTTP, 1 RANDOM_PORT, 2 LEASED_IP."""

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
        return Resources(self.cpu_milli, self.memory_bytes, sum(v.size_bytes for v in self.storage), self.gpu)

    @property
    def pieces(self) -> tuple[Resources, ...]:
        """The resources of each of its units."""
        return (self.one,) * self.count

    @property
    def all(self) -> Resources:
        """The resources of all `count` units."""
        return self.one.times(self.count)
