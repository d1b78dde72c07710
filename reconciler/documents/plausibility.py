"""Warnings about values that are valid, but probably a mistake: another unit, a margin in percent."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from reconciler.documents.document import Document
from reconciler.documents.forms import millicores, size_bytes
from reconciler.documents.pricing_model import PricingFile
from reconciler.documents.service_model import ResourcesModel
from reconciler.documents.workload_model import WorkloadFile
from reconciler.values.desired import Fault

MEMORY_MIN, MEMORY_MAX = 1 << 20, 2 << 40
"""Of a container, in bytes, as an order has them (semantics 2)."""
STORAGE_MIN, STORAGE_MAX = 5 << 20, 32 << 40
CPU_MILLI_MAX = 384_000
MARGIN_MAX = Decimal(2)
"""From 200 % on, percents were probably meant."""

Steps = tuple[str | int, ...]


def workload_warnings(document: Document, file: WorkloadFile) -> Iterator[Fault]:
    """Warnings about the resources of a workload's containers: no order can have less or more."""
    for index, service in enumerate(file.services or ()):
        steps: Steps = ("services", index, "resources")
        yield from _cpu(document, steps, service.resources)
        yield from _size(document, (*steps, "memory"), service.resources.memory, (MEMORY_MIN, MEMORY_MAX))
        if service.resources.storage:
            limits = (STORAGE_MIN, STORAGE_MAX)
            yield from _size(document, (*steps, "storage"), service.resources.storage, limits)
        for number, volume in enumerate(service.volumes):
            at: Steps = ("services", index, "volumes", number, "size")
            yield from _size(document, at, volume.size, (STORAGE_MIN, STORAGE_MAX))


def margin_warnings(document: Document, file: PricingFile) -> Iterator[Fault]:
    """A warning about a margin that was probably meant in percent."""
    margin = Decimal(file.pricing.profit_margin)
    if margin >= MARGIN_MAX:
        message = f"{margin} is a margin of {margin * 100:,f} %"
        advice = f"for {margin:f} % write {margin / 100:f}"
        yield document.warning(("pricing", "profit_margin"), message, advice)


def _cpu(document: Document, steps: Steps, resources: ResourcesModel) -> Iterator[Fault]:
    if millicores(resources.cpu) <= CPU_MILLI_MAX:
        return
    is_millicores = resources.cpu.endswith("m")
    message = f"{resources.cpu} is more than {CPU_MILLI_MAX // 1000} cores, which no order has"
    advice = "write fewer" if is_millicores else f"for millicores write {resources.cpu}m"
    yield document.warning((*steps, "cpu"), message, advice)


def _size(document: Document, steps: Steps, size: str, limits: tuple[int, int]) -> Iterator[Fault]:
    count = size_bytes(size)
    if count < limits[0]:
        shown = f"{size} is {count:,} bytes," if size.isdecimal() else f"{size} is"
        advice = f"for MiB write {size.rstrip('Ki')}Mi"
        yield document.warning(steps, f"{shown} less than any order has", advice)
    elif count > limits[1]:
        yield document.warning(steps, f"{size} is more than any order has", "check the unit")
