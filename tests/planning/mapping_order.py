"""The same facts with every mapping in the opposite order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from reconciler.planning.planning_input import PlanningInput
from reconciler.values.readings import Seen

Key = TypeVar("Key")
Value = TypeVar("Value")


def reversed_mapping(mapping: Mapping[Key, Value]) -> dict[Key, Value]:
    """The same mapping in the opposite order."""
    return dict(reversed(list(mapping.items())))


def in_opposite_order(world: PlanningInput) -> PlanningInput:
    """The same input, every mapping reversed."""
    seen, view, memory = world.market, world.adapters["kubernetes"], world.memory
    if isinstance(seen, Seen):
        m = seen.view
        names = ("orders", "bids", "leases", "accounts", "settlements")
        other: Any = {name: reversed_mapping(getattr(m, name)) for name in names}
        seen = Seen(replace(m, **other))
    if isinstance(view.workloads, Seen):
        view = replace(view, workloads=Seen(reversed_mapping(view.workloads.view)))
    kept: Any = {
        n: reversed_mapping(getattr(memory, n))
        for n in ("workloads", "usage", "withdrawn_at", "retries", "approvals")
    }
    asked = world.desired
    if isinstance(asked, Seen):
        newest = asked.view.newest
        other = replace(newest.desired, workloads=reversed_mapping(newest.desired.workloads))
        asked = Seen(replace(asked.view, newest=replace(newest, desired=other)))
    return replace(
        world, desired=asked, market=seen, adapters={"kubernetes": view}, memory=replace(memory, **kept)
    )
