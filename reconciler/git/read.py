"""The files of a commit and their bytes, read from the object store; nothing is checked out."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.documents.files import FILE_BYTES_MAX
from reconciler.documents.kinds import REQUIRED, is_ours
from reconciler.git.batch import Objects
from reconciler.git.mirror import DamagedMirrorError, MirrorError
from reconciler.git.trees import FOLDER, TooLargeTreeError, TreeEntry, read_trees, tree_at, walk
from reconciler.values.text import printable

PATH_SHOWN_MAX = 1000
"""Characters; an entry with a longer path is not read."""

_MODES = {
    "120000": "a symbolic link, which is not followed; put a plain file there",
    "160000": "a submodule, which is not read; put plain files there",
}
_PLAIN = ("100644", "100755")

OURS = (*REQUIRED, "adapters", "workloads")
"""The rejected paths if nothing of a commit can be read."""


@dataclass(slots=True)
class TreeListing:
    """The files below the provider's folder: path -> blob, sizes in bytes, and why entries are not read."""

    files: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    unread_entries: dict[str, str] = field(default_factory=dict)


def list_tree(objects: Objects, commit: str, folder: str) -> TreeListing:
    """The entries at the top of `folder` in a commit, and all entries of the provider's folders in it.

    A folder that is too large is rejected as a whole, and all of them if the top is, so that the last good
    files stay in force; MirrorError if `folder` does not exist.
    """
    top = tree_at(objects, commit, folder)
    if top is None and folder:
        raise MirrorError(
            f"there is no folder {folder} in commit {commit[:12]}; check repository.path in the host file"
        )
    found = TreeListing()
    try:
        entries = list(_entries(objects, top or commit, found.unread_entries))
        plain = [entry.id for entry in entries if entry.mode in _PLAIN]
        sizes = {each.id: each.size for each in objects.reader.info(plain).values()}
        folded: dict[str, str] = {}
        for entry in sorted(entries, key=lambda entry: entry.path):
            _add_entry(found, folded, entry, sizes[entry.id] if entry.mode in _PLAIN else 0)
    except TooLargeTreeError as error:
        return TreeListing(unread_entries=dict.fromkeys(OURS, f"the repository's top folder {error}"))
    except (DamagedMirrorError, KeyError):
        raise DamagedMirrorError(f"the files of commit {commit[:12]} cannot be read") from None
    return found


def _entries(objects: Objects, top: str, refused: dict[str, str]) -> Iterator[TreeEntry]:
    """The entries at the top and in our folders; unreadable folders of the provider go into `refused`."""
    for entry in read_trees(objects, [top])[top]:
        name = entry.path.decode("utf-8", "backslashreplace")
        if entry.mode != FOLDER:
            yield entry
        elif is_ours(name):
            try:
                below = walk(objects, entry.id)
            except TooLargeTreeError as error:
                refused[name] = f"this folder {error}"
                continue
            yield from (TreeEntry(each.mode, each.id, entry.path + b"/" + each.path) for each in below)


def _add_entry(found: TreeListing, folded: dict[str, str], entry: TreeEntry, size: int) -> None:
    raw, mode = entry.path, entry.mode
    path = raw.decode("utf-8", "backslashreplace")
    why = _MODES.get(mode) or _invalid_name(raw, path)
    twin = folded.setdefault(unicodedata.normalize("NFC", path).casefold(), path)
    if why is None and twin != path:
        why = f"its name differs from {twin} only in case or encoding; rename one"
    if why is None and mode not in _PLAIN:
        why = f"an entry of mode {mode}, not a plain file"
    if why is None and size > FILE_BYTES_MAX:
        why = f"the file has {size} bytes; at most {FILE_BYTES_MAX} are read: split it"
    if why is not None:
        found.unread_entries[printable(path, PATH_SHOWN_MAX)] = why
        return
    found.files[path] = entry.id
    found.sizes[path] = size


def _invalid_name(raw: bytes, path: str) -> str | None:
    if b"\\" in raw or printable(path) != path or path.encode("utf-8") != raw:
        return "its name has characters that are not allowed; rename it"
    parts = path.split("/")
    if any(part.startswith("-") or part in (".", "..", "") or len(part.encode()) > 255 for part in parts):
        return "its name begins with - or is too long; rename it"
    if len(path) > PATH_SHOWN_MAX:
        return "its path is too long; shorten it"
    return None


def blobs(objects: Objects, ids: Sequence[str]) -> Mapping[str, bytes]:
    """The bytes of blobs, read by one git; unknown and too large ones are missing."""
    wanted = [blob for blob in dict.fromkeys(ids) if blob.isalnum() and blob.isascii()]
    found = objects.reader.info(wanted).values()
    return objects.reader.contents(
        {each.id: each.size for each in found if each.kind == "blob" and each.size <= FILE_BYTES_MAX}
    )
