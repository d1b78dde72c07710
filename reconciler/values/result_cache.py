"""Results that hold: those of earlier cycles, reused while their inputs are the same objects.

A result depends on nothing but its inputs, so it is the same with the cache and without.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from reconciler.values.grants import Grants
from reconciler.values.ids import LeaseId
from reconciler.values.resources import Resources
from reconciler.values.same import (
    differing_names,
    has_same,
    has_same_names,
    keep_same,
    with_names,
    with_values,
)

Result = TypeVar("Result")
Value = TypeVar("Value")
Key = TypeVar("Key", bound=Hashable)
Inputs = tuple[object, ...]
SMALL = (int, str, LeaseId, Resources, Grants)
"""Values that are made anew in each cycle, and cheap to compare."""


@dataclass(frozen=True, slots=True)
class KeyedInput:
    """An input of named values, each of which concerns some keys: `keys_of` gives those of a name and its
    value (None: the name itself is the key).
    """

    values: Mapping[Any, Any]
    keys_of: Callable[[Any, Any], Iterable[Any]] | None = None

    def changed_keys(self, before: KeyedInput) -> Iterator[Any]:
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
    """What results by key depend on: `keys` in their order, inputs that concern single keys, and `shared`
    ones that concern them all.
    """

    keys: Mapping[Key, object]
    by_key: tuple[KeyedInput, ...]
    shared: Inputs = ()

    def changed_keys(self, before: KeyedInputs[Key]) -> Set[Key] | None:
        """The keys with a new input, those without any before included; None: all."""
        if not _same(before.shared, self.shared):
            return None
        pairs = zip(before.by_key, self.by_key, strict=True)
        found = {key for old, new in pairs for key in new.changed_keys(old)}
        if has_same_names(before.keys, self.keys):
            return found
        return found | (self.keys.keys() - before.keys.keys())


@dataclass(frozen=True, slots=True)
class _Held:
    inputs: Any
    result: Any


class ResultCache:
    """Keeps the last results, by name; for one thread."""

    def __init__(self) -> None:
        self._held: dict[Hashable, _Held] = {}

    @property
    def results(self) -> Mapping[Hashable, object]:
        """The results that it holds, by name."""
        return {name: held.result for name, held in self._held.items()}

    def reuse(self, name: Hashable, inputs: Inputs, evaluate: Callable[[], Result]) -> Result:
        """The last result if all inputs are the same objects (small values: equal), else a new one."""
        held = self._held.get(name)
        if held is None or not _same(held.inputs, inputs):
            held = self._held[name] = _Held(inputs, evaluate())
        result: Result = held.result
        return result

    def same(self, name: Hashable, value: Result) -> Result:
        """The last value of this name if it is equal, else this one."""
        held = self._held.get(name)
        if held is None or held.result != value:
            held = self._held[name] = _Held((), value)
        result: Result = held.result
        return result

    def same_each(self, name: Hashable, values: Mapping[Key, Result]) -> Mapping[Key, Result]:
        """These values, with the last objects of equal ones; the same mapping if all are equal."""
        held = self._held.get(name)
        if held is not None and held.inputs is values:
            kept: Mapping[Key, Result] = held.result
            return kept
        result = keep_same(held.result, values, held.inputs) if held is not None else keep_same({}, values)
        self._held[name] = _Held(values, result)
        return result

    def sum_each(self, name: Hashable, values: Mapping[Key, Value], amount_of: Callable[[Value], int]) -> int:
        """The sum of an amount over all values; only those that differ are counted again."""
        held = self._held.get(name)
        before: Mapping[Key, Value] = held.inputs if held is not None else {}
        total: int = held.result if held is not None else 0
        for key in differing_names(before, values):
            total += amount_of(values[key]) if key in values else 0
            total -= amount_of(before[key]) if key in before else 0
        self._held[name] = _Held(values, total)
        return total

    def reuse_values(
        self, name: Hashable, values: Mapping[Key, Value], evaluate: Callable[[Value], Result | None]
    ) -> Mapping[Key, Result]:
        """`reuse_each` for results that depend on nothing but the value of their key."""
        inputs = KeyedInputs(values, (KeyedInput(values),))
        return self.reuse_each(name, inputs, lambda key: evaluate(values[key]))

    def reuse_each(
        self, name: Hashable, inputs: KeyedInputs[Key], evaluate: Callable[[Key], Result | None]
    ) -> Mapping[Key, Result]:
        """The result of each key, in the order of the keys; None is left out. Only keys with a new input are
        evaluated again. The same mapping if every result is the same object.
        """
        held = self._held.get(name)
        before: Mapping[Key, Result] = held.result if held is not None else {}
        changed = inputs.changed_keys(held.inputs) if held is not None else None
        keys = inputs.keys if changed is None else [key for key in changed if key in inputs.keys]
        fresh = {key: _same_object(before.get(key), evaluate(key)) for key in keys}
        if held is not None and has_same_names(held.inputs.keys, inputs.keys):
            results = _updated(before, fresh, inputs.keys)
        else:
            results = _merged(before, fresh, inputs.keys)
        if has_same(before, results):
            results = before
        self._held[name] = _Held(inputs, results)
        return results


def _updated(
    before: Mapping[Key, Result], fresh: Mapping[Key, Result | None], keys: Iterable[Key]
) -> Mapping[Key, Result]:
    """The results of the same keys as before."""
    changed = {key: result for key, result in fresh.items() if before.get(key) is not result}
    replaced = {key: result for key, result in changed.items() if result is not None and key in before}
    if len(replaced) < len(changed):
        return _merged(before, fresh, keys)
    return with_values(before, replaced) if replaced else before


def _merged(
    before: Mapping[Key, Result], fresh: Mapping[Key, Result | None], keys: Iterable[Key]
) -> Mapping[Key, Result]:
    found = ((key, fresh[key] if key in fresh else before.get(key)) for key in keys)
    results = {key: result for key, result in found if result is not None}
    changed = [key for key in fresh if before.get(key) is not results.get(key)]
    return with_names(before, results, [*changed, *(key for key in before if key not in results)])


def _same(before: Inputs, now: Inputs) -> bool:
    return len(before) == len(now) and all(map(_is_same, before, now))


def _is_same(before: object, now: object) -> bool:
    return before is now or (isinstance(now, SMALL) and before == now)


def _same_object(before: Result | None, now: Result | None) -> Result | None:
    return before if _is_same(before, now) else now
