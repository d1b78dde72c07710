"""The difference between two versions of a file, key by key. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from reconciler.documents.document import BrokenFileError, Node
from reconciler.documents.kinds import is_ours
from reconciler.documents.yaml_reader import read_yaml
from reconciler.values.money import plain
from reconciler.values.preview import FieldChange, FileChange

TEXT_MAX = 120
"""Longer values are truncated: an environment variable may hold 64 KB."""

NAMES = ("name", "port")
"""Keys that identify entries of a list, so that an insertion does not change all later entries."""


def file_changes(
    old: Mapping[str, str], new: Mapping[str, str], contents: Mapping[str, bytes]
) -> tuple[FileChange, ...]:
    """The differing files with a model (path -> blob), sorted by path; `contents` are the bytes by blob."""
    old = {path: blob for path, blob in old.items() if is_ours(path)}
    new = {path: blob for path, blob in new.items() if is_ours(path)}
    gone = {blob: path for path, blob in old.items() if path not in new}
    moved = {path: gone[blob] for path, blob in new.items() if path not in old and blob in gone}
    found = []
    for path in sorted({*old, *new}):
        if path in moved:
            found.append(FileChange(path, "renamed", moved[path]))
        elif path in moved.values() or old.get(path) == new.get(path):
            continue
        else:
            verb = "added" if path not in old else "removed" if path not in new else "changed"
            pair = (contents.get(files.get(path, "")) for files in (old, new))
            found.append(
                FileChange(path, verb, fields=tuple(_fields(path, *pair)) if verb == "changed" else ())
            )
    return tuple(found)


def _fields(path: str, old: bytes | None, new: bytes | None) -> Iterator[FieldChange]:
    before, after = _flat(path, old), _flat(path, new)
    for key in [*before, *(key for key in after if key not in before)]:
        if before.get(key) != after.get(key):
            yield FieldChange(key, before.get(key, ""), after.get(key, ""))


def _flat(path: str, content: bytes | None) -> dict[str, str]:
    """Dotted key -> text; empty for an unreadable file, whose faults are reported elsewhere."""
    if content is None:
        return {}
    try:
        return dict(_leaves("", read_yaml(path, content).root))
    except BrokenFileError:
        return {}


def _leaves(name: str, node: Node) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(f"{name}.{key}".removeprefix("."), value)
    elif isinstance(node, list) and all(isinstance(each, dict) for each in node):
        for index, each in enumerate(node):
            yield from _leaves(f"{name}.{_label(each, index)}", each)
    elif isinstance(node, list):
        yield name, _short(", ".join(_text(each) for each in node))
    else:
        yield name, _short(_text(node))


def _label(entry: Node, index: int) -> str:
    assert isinstance(entry, dict), "only lists of mappings are labelled"
    for key in NAMES:
        if isinstance(entry.get(key), str | int):
            return str(entry[key])
    return str(index)


def _text(node: Node) -> str:
    if isinstance(node, bool):
        return "true" if node else "false"
    if isinstance(node, Decimal):
        return plain(node)
    return "" if node is None else str(node)


def _short(text: str) -> str:
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}... ({len(text)} characters)"
