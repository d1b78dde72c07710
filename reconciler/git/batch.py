"""Many objects through one `git cat-file`: types, sizes, and contents in groups of bounded size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from reconciler.git.git_process import GitResult

GROUP_BYTES_MAX = 32 * 1024 * 1024
"""Of one command, well below the output limit at which it is killed."""

_HEADER_BYTES = 100


class Objects(Protocol):
    """A git repository's objects: the mirror's, or those of a user's clone."""

    def run(self, *arguments: str, stdin: bytes = b"") -> GitResult:
        """Run a git command on them."""


def kinds_and_sizes(objects: Objects, ids: Sequence[str]) -> Mapping[str, tuple[str, int]]:
    """Type (`blob`, `tree`, ...) and size in bytes of each object that exists; none is inflated."""
    stdin = "".join(f"{each}\n" for each in dict.fromkeys(ids)).encode()
    if not stdin:
        return {}
    ran = objects.run("cat-file", "--batch-check", "--buffer", stdin=stdin)
    rows = (line.split() for line in ran.text.splitlines())
    return {row[0]: (row[1], int(row[2])) for row in rows if len(row) == 3 and row[2].isdigit()}


def contents(objects: Objects, sizes: Mapping[str, int]) -> Mapping[str, bytes]:
    """The bytes of objects given as id -> size; unreadable ones are missing."""
    found: dict[str, bytes] = {}
    for group in _groups(sizes):
        stdin = "".join(f"{each}\n" for each in group).encode()
        found |= _parsed(objects.run("cat-file", "--batch", "--buffer", stdin=stdin).output)
    return found


def _groups(sizes: Mapping[str, int]) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    room = GROUP_BYTES_MAX
    for each, size in sizes.items():
        room -= size + _HEADER_BYTES
        if room < 0:
            groups.append([])
            room = GROUP_BYTES_MAX - size
        groups[-1].append(each)
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
