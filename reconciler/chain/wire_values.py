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
"""Characters of an address, ID, name, attribute key or value; valid ones are shorter."""

TEXTS_MAX = 200
"""Entries of one list, such as an order's attributes."""

CUT = "..."


def text_of(text: str) -> str:
    """The text, bounded and printable; a changed text never equals one that was valid, so comparisons stay
    correct.
    """
    return printable(text, TEXT_MAX)


def texts_of(texts: Iterable[str]) -> frozenset[str]:
    """A list of texts; a truncated one contains `...`, which nothing satisfies."""
    first = list(islice(texts, TEXTS_MAX + 1))
    values = frozenset(text_of(each) for each in first[:TEXTS_MAX])
    return values | {CUT} if len(first) > TEXTS_MAX else values


class Amount(Protocol):
    """A Coin, a DecCoin or a Balance."""

    @property
    def denom(self) -> str: ...
    @property
    def amount(self) -> str: ...


def decimal_of(text: str) -> Decimal:
    """The decimal of an integer times 10^18; 0 for an empty text."""
    whole, fraction = divmod(int(text or "0"), 10**RATE_PLACES)
    if fraction == 0:
        return Decimal(whole)
    return EXACT.normalize(EXACT.scaleb(Decimal(int(text)), -RATE_PLACES))


def decimal_text(number: Decimal) -> str:
    """The integer times 10^18; decimal.Inexact if the number has more digits."""
    return str(int(EXACT.to_integral_exact(EXACT.scaleb(number, RATE_PLACES))))


def dec_coin(number: Decimal) -> DecCoin:
    """A DecCoin of this many uve."""
    return DecCoin(denom=DENOM, amount=decimal_text(number))


def coin(amount: int) -> Coin:
    """A Coin of this many uve."""
    return Coin(denom=DENOM, amount=str(amount))


AMOUNT_MAX = 2**61 - 1
"""Largest amount in uve of a balance or of all transfers of a view, so that the journal can store their
differences in 64 bits; all coins of the chain are fewer.
"""


def bounded_uve(amount: int) -> int:
    """The amount in uve; ValueError if its size is above AMOUNT_MAX."""
    if abs(amount) > AMOUNT_MAX:
        raise ValueError("an impossible amount of uve")
    return amount


def whole_uve(coins: Iterable[Amount]) -> int:
    """The uve among coins with integer amounts, others are ignored; ValueError for an impossible amount."""
    return bounded_uve(sum(int(each.amount or "0") for each in coins if each.denom == DENOM))


def other_denoms(coins: Iterable[Amount]) -> tuple[str, ...]:
    """The denominations among coins that are not uve, sorted."""
    return tuple(sorted({text_of(each.denom) for each in coins if each.denom != DENOM}))


def exact_uve(coins: Iterable[Amount]) -> Decimal:
    """The uve among coins with decimal amounts; ValueError for an impossible amount."""
    amount = sum(int(each.amount or "0") for each in coins if each.denom == DENOM)
    bounded_uve(amount // 10**RATE_PLACES)
    return decimal_of(str(amount))


def uve_in(text: str) -> int:
    """The uve in an event's text, such as `9800uve` or `5uact,9800uve`; 0 if there is none. ValueError for an
    impossible amount.
    """
    return bounded_uve(
        sum(
            int(part.removesuffix(DENOM))
            for part in text.split(",")
            if part.endswith(DENOM) and part.removesuffix(DENOM).isdecimal()
        )
    )


QUANTITY_MAX = 2**63 - 1
"""The chain's limits are far below: 32 TiB of storage per volume."""


def attributes_of(attributes: Iterable[attributes_pb2.Attribute]) -> tuple[Attribute, ...]:
    """Key and value of each; a truncated list ends in an attribute that no provider has."""
    first = list(islice(attributes, TEXTS_MAX + 1))
    values = tuple((text_of(each.key), text_of(each.value)) for each in first[:TEXTS_MAX])
    return (*values, (CUT, "")) if len(first) > TEXTS_MAX else values


def unit_of(unit: WireUnit) -> ResourceUnit:
    """One resource unit of a group."""
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
    """A bid's offer of one unit: the order's request verbatim (semantics 3.2, point 5)."""
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
        raise ValueError("an impossible quantity of resources")
    return number


def _value(number: int) -> resources_pb2.ResourceValue:
    return resources_pb2.ResourceValue(val=str(number).encode())


def _attributes(attributes: Iterable[Attribute]) -> list[attributes_pb2.Attribute]:
    return [attributes_pb2.Attribute(key=key, value=value) for key, value in attributes]
