"""Memory as rows, one per entry, so that only changed entries are written. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from reconciler.documents.codec import Codec, CodecError, codec, dump, parse
from reconciler.values.memory import Memory
from reconciler.values.same import differing_names

WHOLE = ""
"""The key of a field that is not a mapping; keys of mappings are JSON texts, which are never empty."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row to write, or to delete if `content` is None."""

    section: str
    key: str
    content: str | None


@dataclass(frozen=True, slots=True)
class _Section:
    """One field of the memory; `key` is None if it is stored as a whole."""

    name: str
    key: Codec | None
    value: Codec


@cache
def _sections() -> Mapping[str, _Section]:
    hints = get_type_hints(Memory)
    return {f.name: _section(f.name, hints[f.name]) for f in fields(Memory)}


def _section(name: str, kind: Any) -> _Section:
    if get_origin(kind) is Mapping:
        key, value = get_args(kind)
        return _Section(name, codec(key), codec(value))
    return _Section(name, None, codec(kind))


def changes(old: Memory, new: Memory) -> tuple[RowChange, ...]:
    """The rows that lead from one memory to another; none for equal ones."""
    found: list[RowChange] = []
    for section in _sections().values():
        before, after = getattr(old, section.name), getattr(new, section.name)
        if before is after:
            continue
        if section.key is not None:
            found.extend(_entries(section, section.key, before, after))
        elif before != after:
            found.append(RowChange(section.name, WHOLE, dump(section.value.encode(after))))
    return tuple(found)


def _entries(
    section: _Section, key: Codec, before: Mapping[Any, Any], after: Mapping[Any, Any]
) -> Iterator[RowChange]:
    for name in differing_names(before, after):
        if name not in after:
            yield RowChange(section.name, dump(key.encode(name)), None)
        elif name not in before or before[name] != after[name]:
            value = after[name]
            yield RowChange(section.name, dump(key.encode(name)), dump(section.value.encode(value)))


def collect(rows: Iterable[tuple[str, str, str]]) -> Memory:
    """The memory of rows (section, key, content); CodecError if they are invalid."""
    values: dict[str, Any] = {name: {} for name, s in _sections().items() if s.key is not None}
    for name, key, content in rows:
        section = _sections().get(name)
        if section is None or (section.key is None) != (key == WHOLE):
            raise CodecError(f"memory has no {name} {key}")
        value = section.value.decode(parse(content))
        if section.key is None:
            values[name] = value
        else:
            values[name][section.key.decode(parse(key))] = value
    return Memory(**values)
