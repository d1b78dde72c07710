"""Typed JSON as Go's encoding/json reads and writes it; fields are declared where their dataclass is.

Reading: the first value counts, keys in any case of letters, the last of repeated keys, unknown keys are
dropped, null leaves a value as it is. The first value of another type is reported once all is read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from reconciler.manifests.errors import ManifestError
from reconciler.manifests.go_text import amount
from reconciler.manifests.json_scanner import JsonNumber, JsonObject
from reconciler.values.integers import UINT32_MAX


class JsonReading:
    """One reading: where it stands, and the first error of type."""

    def __init__(self) -> None:
        self.error = ""
        self.structure = ""
        self.path: list[str] = []

    def refuse(self, raw: Any, go_type: str) -> None:
        """Note that a value has another type than `go_type`."""
        self.error = self.error or self.mismatch(_name_of(raw), go_type)

    def mismatch(self, found: str, go_type: str) -> str:
        """The text of an error of type at this place."""
        field = f"struct field {self.structure}.{'.'.join(self.path)}" if self.path else "value"
        return f"json: cannot unmarshal {found} into Go {field} of type {go_type}"


def _name_of(raw: Any) -> str:
    if isinstance(raw, JsonNumber):
        return "number"
    return {str: "string", bool: "bool", list: "array", JsonObject: "object"}[type(raw)]


class JsonType(Protocol):
    """A type of JSON values; `zero` is its value where nothing is given."""

    @property
    def zero(self) -> Any:
        """The value of an absent field."""

    def read(self, reading: JsonReading, raw: Any, current: Any) -> Any:
        """The value that replaces `current`; null and refused values leave it."""

    def write(self, value: Any) -> Any:
        """The value for `json.dumps`."""


@dataclasses.dataclass(frozen=True, slots=True)
class JsonScalar:
    """Text, a boolean or an integer from `least` to `most`."""

    go_type: str
    zero: Any
    least: int = 0
    most: int = 0

    def read(self, reading: JsonReading, raw: Any, current: Any) -> Any:
        """The scalar, if it is of this type."""
        if raw is None:
            return current
        if isinstance(raw, JsonNumber) and type(self.zero) is int:
            if raw.is_integer and len(raw) < 40 and self.least <= int(raw) <= self.most:
                return int(raw)
            reading.error = reading.error or reading.mismatch(f"number {raw}", self.go_type)
        elif not isinstance(raw, JsonNumber) and type(raw) is type(self.zero):
            return raw
        else:
            reading.refuse(raw, self.go_type)
        return current

    def write(self, value: Any) -> Any:
        """As it is."""
        return value


@dataclasses.dataclass(frozen=True, slots=True)
class JsonAmount:
    """An integer in quotes, in any base; None if absent."""

    zero: None = None

    def read(self, reading: JsonReading, raw: Any, current: Any) -> Any:
        """The integer; ManifestError, which ends the reading, if it is none."""
        del current
        if raw is not None and (isinstance(raw, JsonNumber) or not isinstance(raw, str)):
            raise ManifestError(reading.mismatch(_name_of(raw), "string"))
        return amount(raw or "")

    def write(self, value: Any) -> Any:
        """In decimal digits."""
        return str(value)


@dataclasses.dataclass(frozen=True, slots=True)
class JsonList:
    """A list, which null is not: None."""

    go_type: str
    item: JsonType
    zero: None = None

    def read(self, reading: JsonReading, raw: Any, current: Any) -> Any:
        """The items; those of a repeated key are read over the earlier ones."""
        if raw is None:
            return None
        if not isinstance(raw, list):
            reading.refuse(raw, self.go_type)
            return current
        earlier = list(current or ())
        earlier += [self.item.zero] * (len(raw) - len(earlier))
        return tuple(self.item.read(reading, item, old) for item, old in zip(raw, earlier, strict=False))

    def write(self, value: Any) -> Any:
        """The items, or null."""
        return None if value is None else [self.item.write(item) for item in value]


@dataclasses.dataclass(frozen=True, slots=True)
class JsonStruct:
    """A dataclass whose fields are declared by `json_field`; a pointer is None if absent or null."""

    go_type: str
    make: Callable[..., Any]
    is_pointer: bool = False

    @property
    def zero(self) -> Any:
        """None for a pointer, else the dataclass with its defaults."""
        return None if self.is_pointer else self.make()

    def read(self, reading: JsonReading, raw: Any, current: Any) -> Any:
        """The dataclass; fields that are not given keep their current values."""
        if raw is None:
            return None if self.is_pointer else current
        if not isinstance(raw, JsonObject):
            reading.refuse(raw, self.go_type)
            return current
        exact, folded = _fields_by_key(self.make)
        value = self.make() if current is None else current
        outer, depth = reading.structure, len(reading.path)
        found: dict[str, Any] = {}
        for key, item in raw.pairs:
            name = exact.get(key) or folded.get(_folded(key))
            if name is None:
                continue
            reading.structure = self.go_type.rpartition(".")[2]
            reading.path.append(name.key)
            old = found[name.attribute] if name.attribute in found else getattr(value, name.attribute)
            found[name.attribute] = name.kind.read(reading, item, old)
            reading.structure = outer
            del reading.path[depth:]
        return dataclasses.replace(value, **found)

    def write(self, value: Any) -> Any:
        """An object with the fields in their order, without those that are left out when empty."""
        if value is None:
            return None
        shown = {}
        for name in _fields(self.make):
            item = getattr(value, name.attribute)
            if item or not name.omit_empty:
                shown[name.key] = name.kind.write(item)
        return shown


@dataclasses.dataclass(frozen=True, slots=True)
class JsonFieldName:
    """The form of a dataclass's attribute in JSON."""

    attribute: str
    key: str
    kind: JsonType
    omit_empty: bool


def json_field(key: str, kind: JsonType, *, omit_empty: bool = False) -> Any:
    """A field of a dataclass with its key and type in JSON; its default is the type's zero value."""
    metadata = {"json": (key, kind, omit_empty)}
    if isinstance(kind, JsonStruct) and not kind.is_pointer:
        return dataclasses.field(default_factory=kind.make, metadata=metadata)
    return dataclasses.field(default=kind.zero, metadata=metadata)


@cache
def _fields(make: Any) -> tuple[JsonFieldName, ...]:
    return tuple(JsonFieldName(each.name, *each.metadata["json"]) for each in dataclasses.fields(make))


@cache
def _fields_by_key(make: Any) -> tuple[dict[str, JsonFieldName], dict[str, JsonFieldName]]:
    names = _fields(make)
    return {name.key: name for name in names}, {_folded(name.key): name for name in reversed(names)}


def _folded(key: str) -> str:
    """Equal for keys that differ in case only, as by Unicode's simple folding."""
    return "".join(c.casefold() if len(c.casefold()) == 1 else c for c in key)


TEXT_VALUE = JsonScalar("string", "")
BOOLEAN_VALUE = JsonScalar("bool", zero=False)
UINT32_VALUE = JsonScalar("uint32", 0, most=UINT32_MAX)
TEXTS = JsonList("[]string", TEXT_VALUE)
