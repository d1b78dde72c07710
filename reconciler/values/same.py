"""Identity of values: equal values are kept as the same objects, so that a comparison of objects finds what
changed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import compress, islice
from operator import is_, is_not
from typing import Any, TypeVar

Name = TypeVar("Name", bound=Hashable)
Value = TypeVar("Value")

_ABSENT = object()
GENERATIONS = 8
"""How many earlier mappings a mapping knows its differences from."""
CHANGES_MAX_PART, FEW = 16, 16
"""More differences than one in so many names, and a few, are not recorded: a comparison costs as much."""


@dataclass(frozen=True, slots=True)
class Differences:
    """The names whose values may be other objects, in a fixed order, and whether all names are the same, in
    the same order.
    """

    names: Mapping[Any, None] = field(default_factory=dict)
    has_same_names: bool = True

    def and_then(self, later: Differences) -> Differences:
        """Both, one after the other."""
        return Differences({**self.names, **later.names}, self.has_same_names and later.has_same_names)


NO_DIFFERENCES = Differences()


class DerivedMapping(dict[Name, Value]):
    """A mapping that knows how it differs from those that it was derived from, so that a comparison with them
    needs no walk. It must not be modified.
    """

    version: object = None
    since: Mapping[object, Differences] = {}
    """The version of an earlier mapping -> the differences from it, the newest first."""


def with_values(before: Mapping[Name, Value], changed: Mapping[Name, Value]) -> Mapping[Name, Value]:
    """`before` with other values of some of its names."""
    now = DerivedMapping(before)
    now.update(changed)
    return _derived(before, now, Differences(dict.fromkeys(changed)))


def with_names(
    before: Mapping[Name, Value], now: Mapping[Name, Value], changed: Iterable[Name]
) -> Mapping[Name, Value]:
    """`now`, which has other names than `before`, or another order; only values of `changed` differ."""
    return _derived(before, DerivedMapping(now), Differences(dict.fromkeys(changed), has_same_names=False))


def _derived(
    before: Mapping[Name, Value], now: DerivedMapping[Name, Value], step: Differences
) -> DerivedMapping[Name, Value]:
    now.version = object()
    if isinstance(before, DerivedMapping) and len(step.names) <= len(now) // CHANGES_MAX_PART + FEW:
        older = islice(before.since.items(), GENERATIONS - 1)
        now.since = {before.version: step} | {version: known.and_then(step) for version, known in older}
    return now


def _known_differences(before: Mapping[Name, object], now: Mapping[Name, object]) -> Differences | None:
    """How they differ, if one was derived from the other."""
    if before is now:
        return NO_DIFFERENCES
    if isinstance(before, DerivedMapping) and isinstance(now, DerivedMapping):
        return now.since.get(before.version) or before.since.get(now.version)
    return None


def differing_names(before: Mapping[Name, object], now: Mapping[Name, object]) -> Iterable[Name]:
    """The names whose values are not the same objects in both mappings, those of only one included."""
    known = _known_differences(before, now)
    if known is not None:
        return [name for name in known.names if before.get(name, _ABSENT) is not now.get(name, _ABSENT)]
    if has_same_names(before, now):
        return compress(now, map(is_not, before.values(), now.values()))
    return _one_by_one(before, now)


def _one_by_one(before: Mapping[Name, object], now: Mapping[Name, object]) -> Iterator[Name]:
    yield from (name for name, value in now.items() if before.get(name, _ABSENT) is not value)
    yield from (name for name in before if name not in now)


def keep_same(
    before: Mapping[Name, Value], now: Mapping[Name, Value], equal: Mapping[Name, Value] | None = None
) -> Mapping[Name, Value]:
    """`now` with the earlier objects of equal values; `before` itself if nothing differs. `equal` has the
    names and values of `before`; if `now` was derived from it, only what differs is compared.
    """
    if before is now:
        return before
    known = _known_differences(equal, now) if equal is not None else None
    if known is not None and known.has_same_names:
        changed = {name: now[name] for name in known.names if before[name] != now[name]}
        return with_values(before, changed) if changed else before
    if not has_same_names(before, now):
        kept = {name: _kept(before.get(name), value) for name, value in now.items()}
        return with_names(before, kept, _one_by_one(before, kept))
    changed = {name: now[name] for name in differing_names(before, now) if before[name] != now[name]}
    return with_values(before, changed) if changed else before


def has_same(before: Mapping[Name, object], now: Mapping[Name, object]) -> bool:
    """Whether both have the same objects under the same names, in the same order."""
    if before is now:
        return True
    if len(before) != len(now):
        return False
    if _known_differences(before, now) is not None:
        return has_same_names(before, now) and not differing_names(before, now)
    return all(map(is_, before.values(), now.values())) and has_same_names(before, now)


def are_equal(before: Mapping[Name, object], now: Mapping[Name, object]) -> bool:
    """Whether both have equal values under the same names, in any order."""
    known = _known_differences(before, now)
    if known is None:
        return before == now
    pairs = ((before.get(name, _ABSENT), now.get(name, _ABSENT)) for name in known.names)
    return all(old is new or old == new for old, new in pairs)


def has_same_names(before: Mapping[Name, object], now: Mapping[Name, object]) -> bool:
    """Whether both have the same names in the same order."""
    known = _known_differences(before, now)
    if known is not None and known.has_same_names:
        return True
    return len(before) == len(now) and list(before) == list(now)


def _kept(before: Value | None, now: Value) -> Value:
    return before if before is not None and before == now else now
