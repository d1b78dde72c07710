"""The groups of a deployment on the chain, and the chain's checks of them (semantics 6.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.go_text import decimal_text
from reconciler.manifests.sdl_devices import attributes_fault
from reconciler.values.resources import Attribute, ResourceUnit

CPU_MILLI_MIN, CPU_MILLI_MAX = 10, 384_000
GPU_MAX = 24
MEMORY_BYTES_MIN, MEMORY_BYTES_MAX = 1 << 20, 2 << 40
VOLUME_BYTES_MIN, VOLUME_BYTES_MAX = 5 << 20, 32 << 40
ABSENT = -1
"""In place of millicores or bytes of memory that an SDL file does not give."""
TOTAL_FACTOR = 50
"""A group may have so many times the limits of a unit."""
PRICE_MAX = 10_000_000


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """One group: requirements on the provider, and the units of its order."""

    name: str
    units: tuple[ResourceUnit, ...]
    attributes: tuple[Attribute, ...] = ()
    signed_by_all: tuple[str, ...] = ()
    signed_by_any: tuple[str, ...] = ()


def check_groups(groups: Sequence[GroupSpec]) -> None:
    """Raise ManifestError with the chain's text for the first fault; that of totals counts all units."""
    if not groups:
        raise ManifestError("Invalid groups")
    denom = _denom(groups[0])
    names: set[str] = set()
    for group in groups:
        if _denom(group) != denom:
            raise ManifestError(f"inconsistent denomination: {denom} != {_denom(group)}")
        if not group.name:
            raise ManifestError("empty group spec name denomination")
        for unit in group.units:
            _check_unit(unit)
        _check_totals(group)
        _check_prices(group)
        if group.name in names:
            raise ManifestError(f'duplicate deployment group name "{group.name}"')
        names.add(group.name)


def _denom(group: GroupSpec) -> str:
    denoms = [unit.denom for unit in group.units]
    if other := next((each for each in denoms if each != denoms[0]), None):
        raise ManifestError(f"coin denom different: {denoms[0]} {other}\n")
    return denoms[0]


def _check_unit(unit: ResourceUnit) -> None:
    """The upper bound stands twice in three of the texts, as in the reference."""
    cpu, memory = unit.cpu_milli, unit.memory_bytes
    _require("CPU", cpu != ABSENT)
    if not CPU_MILLI_MIN <= cpu <= CPU_MILLI_MAX:
        raise ManifestError(f"error: invalid unit CPU ({CPU_MILLI_MAX} > {cpu} > {CPU_MILLI_MAX} fails)")
    _check_attributes("CPU", unit.cpu_attributes)
    if unit.gpu > GPU_MAX:
        raise ManifestError(f"error: invalid unit GPU ({GPU_MAX} > {unit.gpu} > {GPU_MAX} fails)")
    if not unit.gpu and unit.gpu_attributes:
        raise ManifestError("error: invalid GPU state. attributes cannot be present if units == 0")
    _check_attributes("GPU", unit.gpu_attributes)
    _require("memory", memory != ABSENT)
    if not MEMORY_BYTES_MIN <= memory <= MEMORY_BYTES_MAX:
        bounds = f"{MEMORY_BYTES_MAX} > {memory} > {MEMORY_BYTES_MAX}"
        raise ManifestError(f"error: invalid unit memory ({bounds} fails)")
    _check_attributes("Memory", unit.memory_attributes)
    _require("storage", bool(unit.storage))
    for volume in unit.storage:
        if not VOLUME_BYTES_MIN <= volume.size_bytes <= VOLUME_BYTES_MAX:
            bounds = f"{VOLUME_BYTES_MAX} > {volume.size_bytes} > {VOLUME_BYTES_MIN}"
            raise ManifestError(f"error: invalid unit storage ({bounds} fails)")
        _check_attributes("Storage", volume.attributes)


def _require(name: str, is_given: bool) -> None:
    if not is_given:
        raise ManifestError(f"error: invalid unit {name}, cannot be nil")


def _check_attributes(name: str, attributes: tuple[Attribute, ...]) -> None:
    if fault := attributes_fault(attributes):
        raise ManifestError(f"error: invalid {name} attributes: {fault}")


def _check_totals(group: GroupSpec) -> None:
    for name, amounts, most, is_required in (
        ("CPU", [u.cpu_milli * u.count for u in group.units], CPU_MILLI_MAX, True),
        ("GPU", [u.gpu * u.count for u in group.units], GPU_MAX, False),
        ("memory", [u.memory_bytes * u.count for u in group.units], MEMORY_BYTES_MAX, True),
    ):
        total = sum(amounts)
        if total > most * TOTAL_FACTOR or (is_required and total <= 0):
            bounds = f"{most * TOTAL_FACTOR} > {total} > 0"
            raise ManifestError(f"invalid total {name} ({bounds} fails)")


def _check_prices(group: GroupSpec) -> None:
    for unit in group.units:
        if unit.price > Decimal(PRICE_MAX):
            price = f"{PRICE_MAX} > {decimal_text(unit.price)}{unit.denom}"
            raise ManifestError(f"group {group.name}: error: invalid unit price ({price} fails)")
