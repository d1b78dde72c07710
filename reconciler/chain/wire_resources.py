"""Groups' resources, between the wire and values; amounts are ASCII decimals in bytes (semantics 2)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from reconciler.chain.proto import base_attributes_v1_pb2 as attributes_pb2
from reconciler.chain.proto import base_resources_v1beta4_pb2 as resources_pb2
from reconciler.chain.proto.deployment_v1beta4_pb2 import ResourceUnit as WireUnit
from reconciler.chain.proto.market_v1beta5_pb2 import ResourceOffer
from reconciler.chain.wire_amounts import decimal_of
from reconciler.chain.wire_text import CUT, TEXTS_MAX, text_of
from reconciler.values.resources import Attribute, Endpoint, ResourceUnit, Volume

QUANTITY_MAX = 2**63 - 1
"""The chain's own limits are far below: 32 TiB of storage a volume."""


def attributes_of(attributes: Iterable[attributes_pb2.Attribute]) -> tuple[Attribute, ...]:
    """Key and value of each; a list that was cut ends in an attribute that no provider has."""
    found = list(islice(attributes, TEXTS_MAX + 1))
    kept = tuple((text_of(each.key), text_of(each.value)) for each in found[:TEXTS_MAX])
    return (*kept, (CUT, "")) if len(found) > TEXTS_MAX else kept


def unit_of(unit: WireUnit) -> ResourceUnit:
    """One line of a group."""
    wire = unit.resource
    return ResourceUnit(
        id=wire.id,
        count=unit.count,
        cpu_milli=_number(wire.cpu.units),
        memory_bytes=_number(wire.memory.quantity),
        storage=tuple(_volume_of(each) for each in wire.storage),
        gpu=_number(wire.gpu.units),
        price=decimal_of(unit.price.amount),
        denom=text_of(unit.price.denom),
        cpu_attributes=attributes_of(wire.cpu.attributes),
        memory_attributes=attributes_of(wire.memory.attributes),
        gpu_attributes=attributes_of(wire.gpu.attributes),
        endpoints=tuple(Endpoint(each.kind, each.sequence_number) for each in wire.endpoints),
    )


def offer_of(unit: ResourceUnit) -> ResourceOffer:
    """A bid's offer of one line: what the order asks, verbatim (semantics 3.2, point 5)."""
    storage = [
        resources_pb2.Storage(
            name=v.name, quantity=_value(v.size_bytes), attributes=_attributes(v.attributes)
        )
        for v in unit.storage
    ]
    endpoints = [
        resources_pb2.Endpoint(
            kind=resources_pb2.Endpoint.Kind.Name(each.kind), sequence_number=each.sequence_number
        )
        for each in unit.endpoints
    ]
    wire = resources_pb2.Resources(
        id=unit.id,
        cpu=resources_pb2.CPU(units=_value(unit.cpu_milli), attributes=_attributes(unit.cpu_attributes)),
        memory=resources_pb2.Memory(
            quantity=_value(unit.memory_bytes), attributes=_attributes(unit.memory_attributes)
        ),
        storage=storage,
        gpu=resources_pb2.GPU(units=_value(unit.gpu), attributes=_attributes(unit.gpu_attributes)),
        endpoints=endpoints,
    )
    return ResourceOffer(resources=wire, count=unit.count)


def _volume_of(storage: resources_pb2.Storage) -> Volume:
    return Volume(text_of(storage.name), _number(storage.quantity), attributes_of(storage.attributes))


def _number(value: resources_pb2.ResourceValue) -> int:
    number = int(value.val or b"0")
    if not 0 <= number <= QUANTITY_MAX:
        raise ValueError("a quantity of resources that no chain has")
    return number


def _value(number: int) -> resources_pb2.ResourceValue:
    return resources_pb2.ResourceValue(val=str(number).encode())


def _attributes(attributes: Iterable[Attribute]) -> list[attributes_pb2.Attribute]:
    return [attributes_pb2.Attribute(key=key, value=value) for key, value in attributes]
