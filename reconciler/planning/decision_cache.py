"""Decisions that hold: results of earlier plans, reused while their inputs are the same objects.

A plan with the cache equals one without it, as each result depends on nothing but its inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from reconciler.values.grants import Grants
from reconciler.values.observed import AdapterView
from reconciler.values.readings import Seen
from reconciler.values.resources import Resources

Result = TypeVar("Result")
Inputs = tuple[object, ...]
SMALL = (int, str, Resources, Grants)
"""Values that are made anew in each cycle, and cheap to compare."""


@dataclass(frozen=True, slots=True)
class _Held:
    inputs: Inputs
    result: Any


class DecisionCache:
    """Keeps the last result of each decision, by name; for one planning thread."""

    def __init__(self) -> None:
        self._held: dict[Hashable, _Held] = {}

    @property
    def results(self) -> Mapping[Hashable, object]:
        """The results that it holds, by name."""
        return {name: held.result for name, held in self._held.items()}

    def reuse(self, name: Hashable, inputs: Inputs, decide: Callable[[], Result]) -> Result:
        """The last result if all inputs are the same objects (small values: equal), else a new one."""
        held = self._held.get(name)
        if held is None or not _same(held.inputs, inputs):
            held = self._held[name] = _Held(inputs, decide())
        result: Result = held.result
        return result


def readings_of(adapters: Mapping[str, AdapterView]) -> Iterator[object]:
    """What the adapters show: the objects that their observers keep while nothing changes."""
    for name, view in sorted(adapters.items()):
        yield name
        for reading in (view.workloads, view.capacity):
            yield reading.view if isinstance(reading, Seen) else reading
        yield from view.unavailable_machines


def _same(before: Inputs, now: Inputs) -> bool:
    if len(before) != len(now):
        return False
    return all(a is b or (isinstance(a, SMALL) and a == b) for a, b in zip(before, now, strict=True))
