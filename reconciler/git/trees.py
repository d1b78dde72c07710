"""Trees, read level by level, each distinct one once, and counted before they are expanded.

A tree of ten entries on twenty levels is twenty small objects and 10^20 paths: `ls-tree -r` and every command
that compares trees walk all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.git.batch import Objects
from reconciler.git.mirror import DamagedMirrorError, MirrorError

ENTRIES_MAX = 50_000
LEVELS_MAX = 8
NAMES_BYTES_MAX = 16 * 1024 * 1024
"""Of the names of one level, in its distinct trees and again with their folders."""

FOLDER = "40000"
_TOO_MANY = f"has more than {ENTRIES_MAX} entries; move other files out of it"
_TOO_LONG = f"has names of more than {NAMES_BYTES_MAX} bytes in all; shorten them"
_MODE_DIGITS_MAX = 7


class TooLargeTreeError(MirrorError):
    """A folder is too large to read; the text continues a sentence that begins with its name."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """An entry below a folder: git's mode (`100644`), the object id, the path relative to the folder."""

    mode: str
    id: str
    path: bytes


def tree_at(objects: Objects, commit: str, folder: str) -> str | None:
    """The tree of a folder ("": the top) in a commit or tree; None if it does not exist."""
    name = f"{commit}:{folder}"
    found = objects.reader.info([name]).get(name)
    return found.id if found and found.kind == "tree" else None


def walk(objects: Objects, tree: str) -> list[TreeEntry]:
    """Every entry below a tree except folders. DamagedMirrorError if one is missing; TooLargeTreeError before
    more than ENTRIES_MAX, LEVELS_MAX or, on one level, NAMES_BYTES_MAX are read.
    """
    found: list[TreeEntry] = []
    folders: Sequence[tuple[bytes, str]] = [(b"", tree)]
    count = 0
    for _ in range(LEVELS_MAX):
        trees = read_trees(objects, list(dict.fromkeys(each for _, each in folders)))
        count += sum(len(trees[each]) for _, each in folders)
        if count > ENTRIES_MAX:
            raise TooLargeTreeError(_TOO_MANY)
        if sum(len(path) * len(trees[each]) for path, each in folders) > NAMES_BYTES_MAX:
            raise TooLargeTreeError(_TOO_LONG)
        below = [
            TreeEntry(entry.mode, entry.id, path + entry.path)
            for path, each in folders
            for entry in trees[each]
        ]
        found += (entry for entry in below if entry.mode != FOLDER)
        folders = [(entry.path + b"/", entry.id) for entry in below if entry.mode == FOLDER]
        if not folders:
            return found
    raise TooLargeTreeError(f"is nested deeper than {LEVELS_MAX} levels; move other files out of it")


def read_trees(objects: Objects, ids: Sequence[str]) -> Mapping[str, Sequence[TreeEntry]]:
    """The entries of each tree, including folders; raises as `walk`."""
    sizes = {each.id: each.size for each in objects.reader.info(ids).values() if each.kind == "tree"}
    if sum(sizes.values()) > NAMES_BYTES_MAX:
        raise TooLargeTreeError(_TOO_LONG)
    found = objects.reader.contents(sizes)
    try:
        trees = {each: parse_tree(found[each], len(each) // 2) for each in ids}
    except (KeyError, ValueError):
        raise DamagedMirrorError("a folder cannot be read") from None
    if sum(map(len, trees.values())) > ENTRIES_MAX:
        raise TooLargeTreeError(_TOO_MANY)
    return trees


def parse_tree(content: bytes, id_bytes: int) -> list[TreeEntry]:
    """The entries of a tree object: mode, space, name, NUL, id. ValueError for anything else."""
    found: list[TreeEntry] = []
    at = 0
    while at < len(content):
        space = content.index(b" ", at, at + _MODE_DIGITS_MAX)
        end = content.index(b"\0", space)
        mode, name = content[at:space], content[space + 1 : end]
        at = end + 1 + id_bytes
        if at > len(content) or not mode.isdigit() or not name or b"/" in name:
            raise ValueError("no tree")
        found.append(TreeEntry(mode.decode(), content[end + 1 : at].hex(), name))
    return found
