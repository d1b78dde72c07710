"""Nodes to typed values by the rules of gopkg.in/yaml.v3, whose error texts name Go's types.

A null leaves a field at its zero value and drops out of a list. Errors of type are gathered, each with its
line, and raised together by `Decoding.part`; any other error is raised at once. One `Decoding` reads a whole
file, so that its bounds hold however often aliases refer to a part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Protocol

from reconciler.manifests.errors import ManifestError, UnmarshalError
from reconciler.manifests.go_text import float_to_uint64, floating, quoted
from reconciler.manifests.yaml_nodes import NodeKind, YamlNode, yaml_integer
from reconciler.values.integers import UINT64_MAX

VISITS_MAX = 50_000
MERGE_LEVELS_MAX = 8
ERRORS_MAX = 200
REPEATED_MAX = 8
"""Of one key; further repetitions are not listed."""
_TRUE = frozenset({"y", "Y", "yes", "Yes", "YES", "on", "On", "ON"})
_FALSE = frozenset({"n", "N", "no", "No", "NO", "off", "Off", "OFF"})
_BAD = object()
"""In place of a value that was refused."""


class Decoding:
    """The decoding of one file: its type errors, and how many nodes and pairs it has read."""

    def __init__(self) -> None:
        self._errors: list[str] = []
        self._visits = 0

    def part(self, node: YamlNode, kind: YamlType) -> Any:
        """The value of a part that is judged by itself; UnmarshalError with all its errors of type."""
        outer, self._errors = self._errors, []
        try:
            value = self.value(node, kind)
            if self._errors:
                raise UnmarshalError(self._errors)
        finally:
            self._errors = outer
        return kind.zero if value is _BAD else value

    def value(self, node: YamlNode, kind: YamlType) -> Any:
        """The value of a node; `_BAD` if it was refused or is null where the type has no null."""
        self._visit(1)
        return kind.read(self, node.target)

    def _visit(self, count: int) -> None:
        self._visits += count
        if self._visits > VISITS_MAX:
            raise ManifestError("yaml: document contains excessive aliasing")

    def note(self, errors: list[str]) -> None:
        """Add errors of type; ManifestError with all of them where they are too many."""
        self._errors.extend(errors)
        if len(self._errors) > ERRORS_MAX:
            raise ManifestError(str(UnmarshalError(self._errors)))

    def refuse(self, node: YamlNode, go_type: str) -> Any:
        """Note an error of type."""
        is_scalar = node.kind is NodeKind.SCALAR
        text = node.value if len(node.value.encode()) <= 10 else f"{node.value[:7]}..."
        shown = f" `{text}`" if is_scalar else ""
        self.note([f"line {node.line}: cannot unmarshal {node.tag}{shown} into {go_type}"])
        return _BAD

    def pairs(self, node: YamlNode, level: int = 0) -> list[tuple[YamlNode, YamlNode]] | None:
        """The keys and values of a mapping, merged ones last; None if a key is repeated."""
        self._visit(1 + len(node.content) // 2)
        if level > MERGE_LEVELS_MAX:
            raise ManifestError(f"yaml: line {node.line}: merged over more than {MERGE_LEVELS_MAX} levels")
        own = list(zip(node.content[::2], node.content[1::2], strict=True))
        repeated = _repeated([key for key, _ in own])
        self.note(repeated)
        if repeated:
            return None
        merged = [value.target for key, value in own if key.is_merge]
        plain = [(key, value) for key, value in own if not key.is_merge]
        return plain + (self._merged(merged[-1], {key.value for key, _ in plain}, level) if merged else [])

    def _merged(self, node: YamlNode, known: set[str], level: int) -> list[tuple[YamlNode, YamlNode]]:
        found = []
        sources = node.content if node.kind is NodeKind.SEQUENCE else [node]
        for source in sources:
            if source.target.kind is not NodeKind.MAPPING:
                raise ManifestError("yaml: map merge requires map or sequence of maps as the value")
            for key, value in self.pairs(source.target, level + 1) or []:
                if key.value not in known:
                    known.add(key.value)
                    found.append((key, value))
        return found


def _repeated(keys: list[YamlNode]) -> list[str]:
    """An error for each pair of equal keys, in the order of the first."""
    places: dict[tuple[NodeKind, str], list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault((key.kind, key.value), []).append(place)
    pairs = [pair for found in places.values() for pair in combinations(found[:REPEATED_MAX], 2)]
    return [
        f"line {keys[later].line}: mapping key {quoted(keys[later].value)} already defined at "
        f"line {keys[first].line}"
        for first, later in sorted(pairs)
    ]


class YamlType(Protocol):
    """A type that values are decoded to; `zero` is its value where nothing is given."""

    @property
    def zero(self) -> Any:
        """The value of a field that is absent or null."""

    def read(self, decoding: Decoding, node: YamlNode) -> Any:
        """The value of a node that is no alias."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A type of scalars: its name in Go, its zero value, and the conversion of a scalar."""

    go_type: str
    zero: Any
    convert: Callable[[YamlNode], Any]

    def read(self, decoding: Decoding, node: YamlNode) -> Any:
        """The converted scalar."""
        if node.is_null:
            return _BAD
        value = self.convert(node) if node.kind is NodeKind.SCALAR else None
        return decoding.refuse(node, self.go_type) if value is None else value


def _boolean(node: YamlNode) -> bool | None:
    if node.tag == "!!bool":
        return node.value.lower() == "true"
    if node.tag == "!!str" and node.value in _TRUE | _FALSE:
        return node.value in _TRUE
    return None


def _unsigned(bits: int) -> Callable[[YamlNode], int | None]:
    def convert(node: YamlNode) -> int | None:
        value = None
        if node.tag == "!!int":
            value = yaml_integer(node.value)
        elif node.tag == "!!float" and node.value.lower().strip("+-.") not in ("inf", "nan"):
            number = floating(node.value.replace("_", ""))
            value = float_to_uint64(number) if 0 <= number <= UINT64_MAX else None
        return value if value is not None and 0 <= value < 1 << bits else None

    return convert


TEXT = Scalar("string", "", lambda node: node.value)
BOOLEAN = Scalar("bool", False, _boolean)
UINT32 = Scalar("uint32", 0, _unsigned(32))


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list; None if absent or null."""

    go_type: str
    item: YamlType
    zero: Any = None

    def read(self, decoding: Decoding, node: YamlNode) -> Any:
        """The items as a tuple, without nulls."""
        if node.is_null:
            return None
        if node.kind is not NodeKind.SEQUENCE:
            return decoding.refuse(node, self.go_type)
        values = [decoding.value(item, self.item) for item in node.content]
        return tuple(value for value in values if value is not _BAD)


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A map with text keys; None if absent or null."""

    go_type: str
    item: YamlType
    zero: Any = None

    def read(self, decoding: Decoding, node: YamlNode) -> Any:
        """The entries in the order of the file; one that is null has the item's zero value."""
        if node.is_null:
            return None
        if node.kind is not NodeKind.MAPPING:
            return decoding.refuse(node, self.go_type)
        found = {}
        for key, value in decoding.pairs(node) or []:
            name = decoding.value(key, TEXT)
            if name is not _BAD:
                read = decoding.value(value, self.item)
                found[name] = self.item.zero if read is _BAD else read
        return found


@dataclass(frozen=True, slots=True)
class Structure:
    """A struct: its fields by key, each with the attribute's name and type; unknown keys are ignored.

    `is_pointer`: absent or null is None, not the struct with zero values.
    """

    go_type: str
    make: Callable[..., Any]
    fields: Mapping[str, tuple[str, YamlType]]
    is_pointer: bool = False

    @property
    def zero(self) -> Any:
        """None for a pointer, else the struct with the zero values of its fields."""
        return None if self.is_pointer else self._made({})

    def read(self, decoding: Decoding, node: YamlNode) -> Any:
        """The struct with its fields."""
        if node.is_null:
            return None if self.is_pointer else _BAD
        if node.kind is not NodeKind.MAPPING:
            return decoding.refuse(node, self.go_type)
        found = {}
        for key, value in decoding.pairs(node) or []:
            if entry := self.fields.get(key.target.value):
                read = decoding.value(value, entry[1])
                found[entry[0]] = entry[1].zero if read is _BAD else read
        return self._made(found)

    def _made(self, found: Mapping[str, Any]) -> Any:
        return self.make(**{name: kind.zero for name, kind in self.fields.values()} | dict(found))


@dataclass(frozen=True, slots=True)
class Custom:
    """A type with its own reading of a node, by `Decoding.part` for its parts; null is its zero value."""

    zero: Any
    convert: Callable[[Decoding, YamlNode], Any]

    def read(self, decoding: Decoding, node: YamlNode) -> Any:
        """The converted node; errors of type join the others."""
        if node.is_null:
            return _BAD if self.zero is not None else None
        try:
            return self.convert(decoding, node)
        except UnmarshalError as errors:
            decoding.note(errors.lines)
            return _BAD
