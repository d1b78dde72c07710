"""Decisions that hold: results of earlier plans, reused while their inputs are the same objects.

A plan with the cache equals one without it, as each result depends on nothing but its inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from reconciler.values.grants import Grants
from reconciler.values.observed import AdapterView
from reconciler.values.readings import Seen
from reconciler.values.resources import Resources
from reconciler.values.same import differing_names, has_same, has_same_names

Result = TypeVar("Result")
Key = TypeVar("Key", bound=Hashable)
Inputs = tuple[object, ...]
SMALL = (int, str, Resources, Grants)
"""Values that are made anew in each cycle, and cheap to compare."""


@dataclass(frozen=True, slots=True)
class KeyedInput(Generic[Key]):
    """An input of named values, each of which concerns some keys: `keys_of` gives those of a name and its
    value (None: the name itself is the key).
    """

    values: Mapping[Any, Any]
    keys_of: Callable[[Any, Any], Iterable[Key]] | None = None

    def changed_keys(self, before: KeyedInput[Key]) -> Iterator[Key]:
        """The keys of values that are not the same objects as before."""
        for name in differing_names(before.values, self.values):
            if self.keys_of is None:
                yield name
                continue
            for values in (before.values, self.values):
                if name in values:
                    yield from self.keys_of(name, values[name])


@dataclass(frozen=True, slots=True)
class KeyedInputs(Generic[Key]):
    """What decisions by key depend on: `keys` in their order, inputs that concern single keys, and `shared`
    ones that concern them all.
    """

    keys: Mapping[Key, object]
    by_key: tuple[KeyedInput[Key], ...]
    shared: Inputs = ()

    def changed_keys(self, before: KeyedInputs[Key]) -> Set[Key] | None:
        """The keys with a new input, those without any before included; None: all."""
        if not _same(before.shared, self.shared):
            return None
        pairs = zip(before.by_key, self.by_key, strict=True)
        found = {key for old, new in pairs for key in new.changed_keys(old)}
        return found | (self.keys.keys() - before.keys.keys()) if self.keys is not before.keys else found


@dataclass(frozen=True, slots=True)
class _Held:
    inputs: Any
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

    def reuse_each(
        self, name: Hashable, inputs: KeyedInputs[Key], decide: Callable[[Key], Result | None]
    ) -> Mapping[Key, Result]:
        """The result of each key, in the order of the keys; None is left out. Only keys with a new input are
        decided again. The same mapping if every result is the same object.
        """
        held = self._held.get(name)
        before: Mapping[Key, Result] = held.result if held is not None else {}
        changed = inputs.changed_keys(held.inputs) if held is not None else None
        keys = inputs.keys if changed is None else [key for key in changed if key in inputs.keys]
        fresh = {key: _same_object(before.get(key), decide(key)) for key in keys}
        results = before
        if held is None or fresh or not has_same_names(held.inputs.keys, inputs.keys):
            found = ((key, fresh[key] if key in fresh else before.get(key)) for key in inputs.keys)
            results = {key: result for key, result in found if result is not None}
        if has_same(before, results):
            results = before
        self._held[name] = _Held(inputs, results)
        return results


def readings_of(adapters: Mapping[str, AdapterView]) -> Iterator[object]:
    """What the adapters show: the objects that their observers keep while nothing changes."""
    for name, view in sorted(adapters.items()):
        yield name
        for reading in (view.workloads, view.capacity):
            yield reading.view if isinstance(reading, Seen) else reading
        yield from view.unavailable_machines


def _same(before: Inputs, now: Inputs) -> bool:
    return len(before) == len(now) and all(map(_is_same, before, now))


def _is_same(before: object, now: object) -> bool:
    return before is now or (isinstance(now, SMALL) and before == now)


def _same_object(before: Result | None, now: Result | None) -> Result | None:
    return before if _is_same(before, now) else now
