"""Commits, their trees and their blobs, out of the mirror's object store; nothing is checked out."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.repo.complaints import clean
from reconciler.repo.git_process import Ran
from reconciler.repo.mirror import DamagedMirrorError, MirrorError
from reconciler.values.reverts import reverts

FILE_BYTES_MAX = 1024 * 1024
"""Larger files are not read."""

ENTRIES_MAX = 50_000

_MODES = {
    "120000": "a symbolic link, which is not followed; put a plain file there",
    "160000": "a submodule, which is not read; put plain files there",
}
_PLAIN = ("100644", "100755")


class Objects(Protocol):
    """A git repository's objects: the mirror's, or those of somebody's clone."""

    def run(self, *arguments: str, given: bytes = b"") -> Ran:
        """A git command on them."""


@dataclass(slots=True)
class Listing:
    """The files below the provider's folder: path -> blob, sizes in bytes, and why an entry is not read."""

    files: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heading:
    """Who made a commit, its first line, when (unix seconds), and the commit that it takes back."""

    author: str
    subject: str
    committed_at: int
    reverts: str = ""


def heading(objects: Objects, commit: str) -> Heading:
    """The commit's own words, cleaned of control signs; MirrorError where the mirror lost it."""
    ran = objects.run(
        "show", "--no-patch", "--no-notes", "--no-show-signature", "--format=%an%x00%ct%x00%s%x00%B", commit
    )
    parts = ran.text.split("\0")
    if ran.code != 0 or len(parts) != 4:
        raise DamagedMirrorError(f"commit {commit[:12]} cannot be read")
    author, when, subject, message = parts
    return Heading(clean(author)[:200], clean(subject)[:500], int(when), reverts(message))


def listing(objects: Objects, commit: str, folder: str) -> Listing:
    """Every entry below `folder` in a commit; MirrorError where it is no folder or holds too much."""
    if folder and objects.run("cat-file", "-t", f"{commit}:{folder}").text != "tree":
        raise MirrorError(
            f"there is no folder {folder} in commit {commit[:12]}; check repository.path in the host file"
        )
    ran = objects.run("ls-tree", "-r", "-z", "-l", "--full-tree", "--end-of-options", f"{commit}:{folder}")
    if ran.code != 0:
        raise DamagedMirrorError(f"the files of commit {commit[:12]} cannot be read")
    entries = [entry for entry in ran.output.split(b"\0") if entry]
    if len(entries) > ENTRIES_MAX:
        raise MirrorError(
            f"commit {commit[:12]} holds {len(entries)} files; at most {ENTRIES_MAX} are read: "
            "give the provider a folder of its own (repository.path)"
        )
    found = Listing()
    folded: dict[str, str] = {}
    for entry in entries:
        _sort_in(found, folded, entry)
    return found


def _sort_in(found: Listing, folded: dict[str, str], entry: bytes) -> None:
    head, _, raw = entry.partition(b"\t")
    mode, _kind, blob, size = head.decode("ascii").split()
    path = raw.decode("utf-8", "backslashreplace")
    why = _MODES.get(mode) or _odd_name(raw, path)
    twin = folded.setdefault(unicodedata.normalize("NFC", path).casefold(), path)
    if why is None and twin != path:
        why = f"its name differs from {twin} only in the way it is written; rename one"
    if why is None and mode not in _PLAIN:
        why = f"an entry of mode {mode}, which is no plain file"
    if why is None and int(size) > FILE_BYTES_MAX:
        why = f"the file has {size} bytes; at most {FILE_BYTES_MAX} are read: split it"
    if why is not None:
        found.refused[path] = why
        return
    found.files[path] = blob
    found.sizes[path] = int(size)


def _odd_name(raw: bytes, path: str) -> str | None:
    if b"\\" in raw or clean(path) != path or "\n" in path or path.encode("utf-8") != raw:
        return "its name holds signs that no file of ours needs; rename it"
    parts = path.split("/")
    if any(part.startswith("-") or part in (".", "..", "") or len(part.encode()) > 255 for part in parts):
        return "its name begins with - or is too long; rename it"
    return None


def blobs(objects: Objects, ids: Sequence[str]) -> Mapping[str, bytes]:
    """The bytes of these blobs, all through one git; unknown and over-long ones are missing."""
    wanted = [blob for blob in dict.fromkeys(ids) if blob.isalnum() and blob.isascii()]
    small = _small_blobs(objects, wanted)
    found: dict[str, bytes] = {}
    for group in _groups(small):
        ran = objects.run(
            "cat-file", "--batch", "--buffer", given="".join(f"{blob}\n" for blob in group).encode()
        )
        found |= _parsed(ran.output)
    return found


def _small_blobs(objects: Objects, wanted: Sequence[str]) -> Mapping[str, int]:
    given = "".join(f"{blob}\n" for blob in wanted).encode()
    ran = objects.run("cat-file", "--batch-check", "--buffer", given=given)
    rows = (line.split() for line in ran.text.splitlines())
    sizes = {row[0]: int(row[2]) for row in rows if len(row) == 3 and row[1] == "blob"}
    return {blob: size for blob, size in sizes.items() if size <= FILE_BYTES_MAX}


def _groups(sizes: Mapping[str, int]) -> list[list[str]]:
    """Blobs in groups whose bytes together stay well below what one command may answer."""
    groups: list[list[str]] = [[]]
    room = 32 * FILE_BYTES_MAX
    for blob, size in sizes.items():
        room -= size + 100
        if room < 0:
            groups.append([])
            room = 32 * FILE_BYTES_MAX - size
        groups[-1].append(blob)
    return [group for group in groups if group]


def _parsed(output: bytes) -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}
    at = 0
    while (end := output.find(b"\n", at)) != -1:
        row = output[at:end].split()
        if len(row) != 3 or not row[2].isdigit():
            at = end + 1
            continue
        size = int(row[2])
        content = output[end + 1 : end + 1 + size]
        if len(content) < size:
            break
        found[row[0].decode()] = content
        at = end + 1 + size + 1
    return found
