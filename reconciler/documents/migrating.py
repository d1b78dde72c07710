"""A file of an older form rewritten into the newest, at the very places: comments, order and spaces stay.

Libraries that write YAML again from what they read change what nobody asked for (indentation, quotes, line
ends), which hides the change from whoever reviews it. So tokens are replaced and lines put in, and the result
is read again and held against what was read before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from yaml.events import (
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.documents.explain import models_in
from reconciler.documents.kinds import FileKind, form_of
from reconciler.documents.model import API_VERSION
from reconciler.documents.yaml_reader import BOM, decode, read_yaml


class RenamedKey(NamedTuple):
    """A key and the beginning of its value; `names` are the keys that lead to it, without places in lists."""

    names: tuple[str, ...]
    key: ScalarEvent
    value: Event


class Edit(NamedTuple):
    """What stands between two places of a text, counted in characters, becomes another text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class MigratedFile:
    """A file's text, the event that opens its mapping, and every key."""

    text: str
    root: MappingStartEvent
    entries: tuple[RenamedKey, ...]

    @property
    def column(self) -> int:
        """How far its keys are indented."""
        mark = self.root.start_mark
        return mark.column if mark else 0

    @property
    def line_end(self) -> str:
        """As its first line ends."""
        first = self.text.partition("\n")[0]
        return "\r\n" if first.endswith("\r") else "\n"

    def entry(self, *names: str) -> RenamedKey | None:
        """The first one that these keys lead to."""
        return next((entry for entry in self.entries if entry.names == names), None)


def migrated(path: str, content: bytes, kind: FileKind) -> bytes:
    """The file in the newest form, the same bytes where it is already; it must be valid as it stands."""
    root = read_yaml(path, content).root
    assert isinstance(root, dict), "the file is valid"
    older = form_of(kind.model, root)
    written = _written(decode(path, content))
    edits = [*_head_edits(written, kind), *_renames(written, older, kind.model)]
    new = (BOM if content.startswith(BOM) else b"") + _edited(written.text, edits).encode()
    after = kind.model.model_validate(read_yaml(path, new).root)
    what = {"api_version"}
    if after.model_dump(exclude=what) != older.model_validate(root).model_dump(exclude=what):
        raise AssertionError(f"{path} would mean something else when rewritten")
    return new


def renamed(older: type[BaseModel], newer: type[BaseModel]) -> Mapping[tuple[str, ...], str]:
    """The keys, in the older form, that have another name in the newer one, and that name."""
    found: dict[tuple[str, ...], str] = {}
    for name, field in newer.model_fields.items():
        before, after = _key(name, older.model_fields[name]), _key(name, field)
        if before != after:
            found[(before,)] = after
        old, new = models_in(older.model_fields[name].annotation), models_in(field.annotation)
        for inner_old, inner_new in zip(old, new, strict=True):
            found |= {(before, *names): key for names, key in renamed(inner_old, inner_new).items()}
    return found


def _key(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _renames(written: MigratedFile, older: type[BaseModel], newer: type[BaseModel]) -> Iterator[Edit]:
    names = renamed(older, newer)
    for entry in written.entries:
        if entry.names in names:
            yield _replacing(entry.key, names[entry.names])


def _head_edits(written: MigratedFile, kind: FileKind) -> Iterator[Edit]:
    """`apiVersion` as it is now, and `kind`, put in where they are missing."""
    version, named = written.entry("apiVersion"), written.entry("kind")
    kind_line = [] if named else [f"kind: {kind.name}"]
    if version is None:
        yield _first(written, [f"apiVersion: {API_VERSION}", *kind_line])
        return
    if not (isinstance(version.value, ScalarEvent) and version.value.value == API_VERSION):
        yield _replacing(version.value, API_VERSION)
    if kind_line:
        yield _after(written, version, kind_line[0])


def _first(written: MigratedFile, lines: list[str]) -> Edit:
    start = _start(written.root)
    if written.root.flow_style:
        more = ", " if written.entries else ""
        return Edit(start + 1, start + 1, ", ".join(lines) + more)
    indent = " " * written.column
    return Edit(start, start, "".join(f"{line}{written.line_end}{indent}" for line in lines))


def _after(written: MigratedFile, entry: RenamedKey, line: str) -> Edit:
    end = _end(entry.value)
    if written.root.flow_style:
        return Edit(end, end, f", {line}")
    rest = written.text[end:].split(written.line_end, 1)[0]
    indent = " " * written.column
    return Edit(end + len(rest), end + len(rest), f"{written.line_end}{indent}{line}")


def _replacing(event: Event, text: str) -> Edit:
    return Edit(_start(event), _end(event), text)


def _start(event: Event) -> int:
    mark = event.start_mark
    assert mark is not None, "libyaml marks every event"
    return mark.index


def _end(event: Event) -> int:
    mark = event.end_mark
    assert mark is not None, "libyaml marks every event"
    return mark.index


def _edited(text: str, edits: list[Edit]) -> str:
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _written(text: str) -> MigratedFile:
    """Every key with its place; the text is known to hold one mapping without aliases."""
    root: MappingStartEvent | None = None
    entries: list[RenamedKey] = []
    open_keys: list[ScalarEvent | None] = []
    in_mapping: list[bool] = []
    for event in yaml.parse(text, Loader=yaml.CLoader):
        if isinstance(event, MappingEndEvent | SequenceEndEvent):
            open_keys.pop()
            in_mapping.pop()
            if in_mapping and in_mapping[-1]:
                open_keys[-1] = None
        elif isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent):
            if in_mapping and in_mapping[-1]:
                key = open_keys[-1]
                if key is None:
                    assert isinstance(event, ScalarEvent), "keys are words"
                    open_keys[-1] = event
                    continue
                names = tuple(each.value for each in open_keys if each is not None)
                entries.append(RenamedKey(names, key, event))
                if isinstance(event, ScalarEvent):
                    open_keys[-1] = None
            if not isinstance(event, ScalarEvent):
                root = root or (event if isinstance(event, MappingStartEvent) else None)
                in_mapping.append(isinstance(event, MappingStartEvent))
                open_keys.append(None)
    assert root is not None, "the file is valid"
    return MigratedFile(text, root, tuple(entries))
