"""Migration of a file to the newest version by edits in place: comments, order and spacing are kept.

A YAML round trip through a library also changes indentation, quotes and line ends, which hides the real
change from a reviewer. Instead tokens are replaced, lines inserted, and the result compared with it.
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

from reconciler.documents.kinds import FileKind, form_of
from reconciler.documents.model import API_VERSION
from reconciler.documents.validation_faults import models_in
from reconciler.documents.yaml_reader import BOM, decode, read_yaml


class RenamedKey(NamedTuple):
    """A key and the first event of its value; `names` is the path of keys to it, without list indexes."""

    names: tuple[str, ...]
    key: ScalarEvent
    value: Event


class Edit(NamedTuple):
    """Replacement of the text between two character offsets."""

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
        """Indentation of its keys, in characters."""
        mark = self.root.start_mark
        return mark.column if mark else 0

    @property
    def line_end(self) -> str:
        """The line end of its first line."""
        first = self.text.partition("\n")[0]
        return "\r\n" if first.endswith("\r") else "\n"

    def entry(self, *names: str) -> RenamedKey | None:
        """The first entry at this path."""
        return next((entry for entry in self.entries if entry.names == names), None)


def migrated(path: str, content: bytes, kind: FileKind) -> bytes:
    """The valid file in the newest version; the same bytes if it is already."""
    root = read_yaml(path, content).root
    assert isinstance(root, dict), "the file is valid"
    older = form_of(kind.model, root)
    file = _parsed(decode(path, content))
    edits = [*_head_edits(file, kind), *_renames(file, older, kind.model)]
    new = (BOM if content.startswith(BOM) else b"") + _edited(file.text, edits).encode()
    after = kind.model.model_validate(read_yaml(path, new).root)
    version = {"api_version"}
    if after.model_dump(exclude=version) != older.model_validate(root).model_dump(exclude=version):
        raise AssertionError(f"the migration would change the meaning of {path}")
    return new


def renamed(older: type[BaseModel], newer: type[BaseModel]) -> Mapping[tuple[str, ...], str]:
    """Paths of keys in the older form that have another name in the newer one, with that name."""
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


def _renames(file: MigratedFile, older: type[BaseModel], newer: type[BaseModel]) -> Iterator[Edit]:
    names = renamed(older, newer)
    for entry in file.entries:
        if entry.names in names:
            yield _replacing(entry.key, names[entry.names])


def _head_edits(file: MigratedFile, kind: FileKind) -> Iterator[Edit]:
    """The newest `apiVersion`; it and `kind` are inserted if missing."""
    version, named = file.entry("apiVersion"), file.entry("kind")
    kind_line = [] if named else [f"kind: {kind.name}"]
    if version is None:
        yield _insert_first(file, [f"apiVersion: {API_VERSION}", *kind_line])
        return
    if not (isinstance(version.value, ScalarEvent) and version.value.value == API_VERSION):
        yield _replacing(version.value, API_VERSION)
    if kind_line:
        yield _insert_after(file, version, kind_line[0])


def _insert_first(file: MigratedFile, lines: list[str]) -> Edit:
    start = _start(file.root)
    if file.root.flow_style:
        more = ", " if file.entries else ""
        return Edit(start + 1, start + 1, ", ".join(lines) + more)
    indent = " " * file.column
    return Edit(start, start, "".join(f"{line}{file.line_end}{indent}" for line in lines))


def _insert_after(file: MigratedFile, entry: RenamedKey, line: str) -> Edit:
    end = _end(entry.value)
    if file.root.flow_style:
        return Edit(end, end, f", {line}")
    rest = file.text[end:].split(file.line_end, 1)[0]
    indent = " " * file.column
    return Edit(end + len(rest), end + len(rest), f"{file.line_end}{indent}{line}")


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


def _parsed(text: str) -> MigratedFile:
    """Every key with its position, in a text with one mapping and no aliases."""
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
                    assert isinstance(event, ScalarEvent), "keys are text"
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
