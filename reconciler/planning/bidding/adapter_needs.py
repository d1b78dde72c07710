"""Which adapters can run what an order needs: storage classes, addresses, GPUs, architectures."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.values.features import (
    ARCHITECTURE,
    AdapterFeatures,
    Feature,
    Need,
    describe_needs,
    needs_of_units,
)
from reconciler.values.observed import Order
from reconciler.values.plans import Hold, Reason
from reconciler.values.resources import Attribute
from reconciler.values.subjects import Subject

ADAPTERS_MAX = 3
"""Adapters that a message lists."""


def needs_of_order(order: Order) -> tuple[Need, ...]:
    """What an order needs, each once."""
    return tuple(dict.fromkeys(needs_of_units(order.units)))


def has_needs(order: Order) -> bool:
    """Whether an order needs more than plain containers."""
    return next(needs_of_units(order.units), None) is not None


def able_adapters(features: Mapping[str, AdapterFeatures], order: Order) -> frozenset[str]:
    """The adapters that provide all that an order needs."""
    needs = needs_of_order(order)
    return frozenset(name for name, each in features.items() if all(each.provide(need) for need in needs))


def placement_attributes(order: Order) -> tuple[Attribute, ...]:
    """The attributes that its machines must have: those that it requires, and the architecture."""
    archs = [need.detail for need in needs_of_order(order) if need.feature is Feature.ARCHITECTURE]
    return (*order.attributes, *((ARCHITECTURE, arch) for arch in archs))


def unsupported_hold(features: Mapping[str, AdapterFeatures], order: Order) -> Hold:
    """Names what each adapter lacks of what the order needs."""
    needs = needs_of_order(order)
    lacking = [
        f"{name} provides no {describe_needs(tuple(need for need in needs if not each.provide(need)))}"
        for name, each in list(features.items())[:ADAPTERS_MAX]
    ]
    more = f"; and {len(features) - ADAPTERS_MAX} more adapters" if len(features) > ADAPTERS_MAX else ""
    why = f"no adapter can run it: {'; '.join(lacking) or 'none is configured'}{more}"
    return Hold(Subject.of_order(order.id), Reason.UNSUPPORTED, why)
