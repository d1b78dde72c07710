"""Identity of values: equal values are kept as the same objects, so that a comparison of objects finds what
changed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from itertools import compress
from operator import is_, is_not
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)
Value = TypeVar("Value")

_ABSENT = object()


def differing_names(before: Mapping[Name, object], now: Mapping[Name, object]) -> Iterator[Name]:
    """The names whose values are not the same objects in both mappings, those of only one included."""
    if before is now:
        return
    if has_same_names(before, now):
        yield from compress(now, map(is_not, before.values(), now.values()))
        return
    yield from (name for name, value in now.items() if before.get(name, _ABSENT) is not value)
    yield from (name for name in before if name not in now)


def keep_same(before: Mapping[Name, Value], now: Mapping[Name, Value]) -> Mapping[Name, Value]:
    """`now` with the earlier objects of equal values; `before` itself if nothing differs."""
    if before is now:
        return before
    if not has_same_names(before, now):
        return {name: _kept(before.get(name), value) for name, value in now.items()}
    pairs = zip(now, before.values(), now.values(), strict=True)
    changed = {name: new for name, old, new in pairs if old is not new and old != new}
    return {**before, **changed} if changed else before


def has_same(before: Mapping[Name, object], now: Mapping[Name, object]) -> bool:
    """Whether both have the same objects under the same names, in the same order."""
    if before is now:
        return True
    if len(before) != len(now):
        return False
    return all(map(is_, before.values(), now.values())) and has_same_names(before, now)


def has_same_names(before: Mapping[Name, object], now: Mapping[Name, object]) -> bool:
    """Whether both have the same names in the same order."""
    return before is now or (len(before) == len(now) and list(before) == list(now))


def _kept(before: Value | None, now: Value) -> Value:
    return before if before is not None and before == now else now
