"""Texts, amounts and resources between protobuf messages and values (semantics 2)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import islice
from typing import Protocol

from reconciler.chain.proto import base_attributes_v1_pb2 as attributes_pb2
from reconciler.chain.proto import base_resources_v1beta4_pb2 as resources_pb2
from reconciler.chain.proto.cosmos_coin_pb2 import Coin, DecCoin
from reconciler.chain.proto.deployment_v1beta4_pb2 import ResourceUnit as WireUnit
from reconciler.chain.proto.market_v1beta5_pb2 import ResourceOffer
from reconciler.values.money import DENOM, EXACT, RATE_PLACES
from reconciler.values.resources import Attribute, Endpoint, ResourceUnit, Volume
from reconciler.values.text import printable

TEXT_MAX = 256
"""Characters of an address, an id, a name, an attribute's key or value; what has a use is shorter."""

TEXTS_MAX = 200
"""Texts of one list, such as an order's attributes."""

CUT = "..."


def text_of(text: str) -> str:
    """The text, bounded and clean; a text that changes never equals one that was clean from the start, so
    matching and comparing stay right.
    """
    return printable(text, TEXT_MAX)


def texts_of(texts: Iterable[str]) -> frozenset[str]:
    """A list of texts; one that was cut holds `...`, which nothing satisfies."""
    found = list(islice(texts, TEXTS_MAX + 1))
    kept = frozenset(text_of(each) for each in found[:TEXTS_MAX])
    return kept | {CUT} if len(found) > TEXTS_MAX else kept


class Amount(Protocol):
    """A Coin, a DecCoin or a Balance."""

    @property
    def denom(self) -> str: ...
    @property
    def amount(self) -> str: ...


def decimal_of(text: str) -> Decimal:
    """The decimal that this integer times 10^18 stands for; nothing stands for 0."""
    whole, fraction = divmod(int(text or "0"), 10**RATE_PLACES)
    if fraction == 0:
        return Decimal(whole)
    return EXACT.normalize(EXACT.scaleb(Decimal(int(text)), -RATE_PLACES))


def decimal_text(number: Decimal) -> str:
    """The integer times 10^18; decimal.Inexact where the chain could not keep every digit."""
    return str(int(EXACT.to_integral_exact(EXACT.scaleb(number, RATE_PLACES))))


def dec_coin(number: Decimal) -> DecCoin:
    """A DecCoin of so many uve."""
    return DecCoin(denom=DENOM, amount=decimal_text(number))


def coin(amount: int) -> Coin:
    """A Coin of so many uve."""
    return Coin(denom=DENOM, amount=str(amount))


def whole_uve(coins: Iterable[Amount]) -> int:
    """The uve among coins whose amounts are whole; other denominations are none of our business."""
    return sum(int(each.amount or "0") for each in coins if each.denom == DENOM)


def exact_uve(coins: Iterable[Amount]) -> Decimal:
    """The uve among coins whose amounts are decimals."""
    return decimal_of(str(sum(int(each.amount or "0") for each in coins if each.denom == DENOM)))


def uve_in(text: str) -> int:
    """The uve in the text of an event, as in `9800uve` or `5uact,9800uve`; 0 where there is none."""
    return sum(
        int(part.removesuffix(DENOM))
        for part in text.split(",")
        if part.endswith(DENOM) and part.removesuffix(DENOM).isdecimal()
    )


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
