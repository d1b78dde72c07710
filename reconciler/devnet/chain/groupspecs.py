"""Checks of a group's resources and prices (semantics 2, 6.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from reconciler.chain.proto.base_attributes_v1_pb2 import Attribute
from reconciler.chain.proto.base_resources_v1beta4_pb2 import Resources, ResourceValue
from reconciler.chain.proto.cosmos_coin_pb2 import DecCoin
from reconciler.chain.proto.deployment_v1beta4_pb2 import GroupSpec, ResourceUnit
from reconciler.devnet.chain.amounts import ONE, dec, dec_coin, spelled, valid_denom
from reconciler.devnet.chain.errors import PanicError, TxRefusedError, plain

MI, TI = 2**20, 2**40
_CPU, _GPU, _MEMORY, _STORAGE = (10, 384_000), (0, 24), (MI, 2 * TI), (5 * MI, 32 * TI)
_MOST_COUNT = 50
_MOST_PRICE = 10_000_000
_KEY = re.compile(r"([a-zA-Z][\w/.\-]{1,126})", re.ASCII)


def price(spec: GroupSpec) -> DecCoin:
    """The maximum price per block: the sum of unit price times count (semantics 3.2)."""
    if not spec.resources:
        return DecCoin()
    denom = spec.resources[0].price.denom
    for unit in spec.resources:
        if unit.price.denom != denom:
            raise PanicError(f"invalid coin denominations; {denom}, {unit.price.denom}")
    return dec_coin(denom, sum(dec(unit.price.amount) * unit.count for unit in spec.resources))


def check(spec: GroupSpec) -> None:
    """Refuse a group as ValidateBasic does; most of its errors have no code."""
    if not spec.name:
        raise plain("empty group spec name denomination")
    _check_units(spec.resources)
    denom = ""
    for unit in spec.resources:
        _check_price(spec.name, unit)
        if denom and unit.price.denom != denom:
            raise plain(f"multi-denonimation group: ({unit.price.denom} == {denom} fails)")
        denom = unit.price.denom


def check_all(specs: Sequence[GroupSpec]) -> None:
    """Refuse groups with different denominations or with equal names."""
    names: set[str] = set()
    denom = price(specs[0]).denom
    for spec in specs:
        if price(spec).denom != denom:
            raise plain(f"inconsistent denomination: {denom} != {price(spec).denom}")
        check(spec)
        if spec.name in names:
            raise plain(f'duplicate deployment group name "{spec.name}"')
        names.add(spec.name)


def check_attributes(attributes: Iterable[Attribute]) -> None:
    """Refuse attributes with a repeated or malformed key."""
    seen: set[str] = set()
    for attribute in attributes:
        if not _KEY.fullmatch(attribute.key):
            raise TxRefusedError("virtengine", 2, "invalid attribute key")
        if attribute.key in seen:
            raise TxRefusedError("virtengine", 1, "attributes cannot have duplicate keys")
        seen.add(attribute.key)


def _check_units(units: Iterable[ResourceUnit]) -> None:
    seen: set[int] = set()
    totals = {"CPU": 0, "GPU": 0, "memory": 0}
    for unit in units:
        resources = unit.resource
        _check_resources(resources)
        if resources.id in seen:
            raise plain(f"duplicate resources ID ({resources.id}) within group")
        seen.add(resources.id)
        totals["CPU"] += _value(resources.cpu.units) * unit.count
        totals["GPU"] += _value(resources.gpu.units) * unit.count
        totals["memory"] += _value(resources.memory.quantity) * unit.count
    for name, (_, most) in (("CPU", _CPU), ("GPU", _GPU), ("memory", _MEMORY)):
        total, limit = totals[name], most * _MOST_COUNT
        if total > limit or (total <= 0 and name != "GPU"):
            raise plain(f"invalid total {name} ({limit} > {total} > 0 fails)")


def _check_resources(resources: Resources) -> None:
    if not resources.id:
        raise plain("error: invalid resources ID (> 0 fails)")
    if not resources.HasField("cpu"):
        raise plain("error: invalid unit CPU, cannot be nil")
    _within("CPU", resources.cpu.units, _CPU, least_shown=False)
    if not resources.HasField("gpu"):
        raise plain("error: invalid unit GPU, cannot be nil")
    _within("GPU", resources.gpu.units, _GPU, least_shown=False)
    if not _value(resources.gpu.units) and resources.gpu.attributes:
        raise plain("error: invalid GPU state. attributes cannot be present if units == 0")
    if not resources.HasField("memory"):
        raise plain("error: invalid unit memory, cannot be nil")
    _within("memory", resources.memory.quantity, _MEMORY, least_shown=False)
    if not resources.storage:
        raise plain("error: invalid unit storage, cannot be nil")
    for volume in resources.storage:
        _within("storage", volume.quantity, _STORAGE, least_shown=True)


def _within(name: str, amount: ResourceValue, limits: tuple[int, int], *, least_shown: bool) -> None:
    least, most = limits
    value = _value(amount)
    if not least <= value <= most:
        last = least if least_shown else most  # the node prints the upper limit twice
        raise plain(f"error: invalid unit {name} ({most} > {value} > {last} fails)")


def _check_price(group: str, unit: ResourceUnit) -> None:
    amount = dec(unit.price.amount)
    if not valid_denom(unit.price.denom) or amount < 0:
        raise plain(f"group {group}: error: invalid price object")
    if amount > _MOST_PRICE * ONE:
        shown = f"{spelled(amount)}{unit.price.denom}"
        raise plain(f"group {group}: error: invalid unit price ({_MOST_PRICE} > {shown} fails)")


def _value(amount: ResourceValue) -> int:
    return int(amount.val or b"0")
