"""Objects read by one `git cat-file --batch-command`: types and sizes, and contents in bounded groups."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Timer
from typing import Protocol

from reconciler.git.git_process import LOCAL_SECONDS, GitResult

GROUP_BYTES_MAX = 32 * 1024 * 1024
"""Contents requested at once."""

COMMAND = ("cat-file", "--batch-command", "--buffer")
"""Git 2.36 or newer. Git executes the requests of one flush after it has read them all, so that neither side
waits for the other.
"""

_LINE_BYTES_MAX = 16 * 1024
_HEADER_BYTES = 100


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object's id, type (`blob`, `tree`, ...) and size in bytes."""

    id: str
    kind: str
    size: int


class Objects(Protocol):
    """A git repository's objects: the mirror's, or those of a user's clone."""

    @property
    def reader(self) -> ObjectReader:
        """Reads them by id or name."""

    def run(self, *arguments: str, stdin: bytes = b"") -> GitResult:
        """Run a git command on them."""


class ObjectReader:
    """Reads objects by a git process that starts with the first request and lives until `close`; a request
    that fails ends it, and the next one starts another. Used by one thread.
    """

    def __init__(self, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self._start = start
        self._process: subprocess.Popen[bytes] | None = None

    def info(self, names: Sequence[str]) -> Mapping[str, ObjectInfo]:
        """The existing objects by the names that were requested: ids, `<ref>^{commit}`, `<commit>:<folder>`.
        None is inflated.
        """
        wanted = [name for name in dict.fromkeys(names) if name and "\n" not in name]
        return {name: info for name, (info, _) in self._replies("info", wanted).items()}

    def contents(self, sizes: Mapping[str, int]) -> Mapping[str, bytes]:
        """The bytes of objects given as id -> size; unreadable ones are missing."""
        found: dict[str, bytes] = {}
        for group in _groups(sizes):
            found |= {each: content for each, (_, content) in self._replies("contents", group).items()}
        return found

    def close(self) -> None:
        """End the process; idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()  # it only reads
        with contextlib.suppress(OSError):
            process.communicate()

    def _replies(self, command: str, names: Sequence[str]) -> dict[str, tuple[ObjectInfo, bytes]]:
        """Git's replies, in the order of the requests, until one is missing or late."""
        if not names:
            return {}
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        clock = Timer(LOCAL_SECONDS, process.kill)
        clock.daemon = True
        clock.start()
        found: dict[str, tuple[ObjectInfo, bytes]] = {}
        try:
            process.stdin.write(
                "".join(f"{command} {name}\n" for name in names).encode("utf-8", "surrogateescape")
            )
            process.stdin.write(b"flush\n")
            process.stdin.flush()
            for name in names:
                line = process.stdout.readline(_LINE_BYTES_MAX)
                if not line.endswith(b"\n"):
                    raise BrokenPipeError
                words = line.split()
                if len(words) != 3 or not words[2].isdigit():
                    continue
                info = ObjectInfo(words[0].decode(), words[1].decode(), int(words[2]))
                content = process.stdout.read(info.size + 1)[:-1] if command == "contents" else b""
                if command == "contents" and len(content) < info.size:
                    raise BrokenPipeError
                found[name] = info, content
        except OSError:
            self.close()
        finally:
            clock.cancel()
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
