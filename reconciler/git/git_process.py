"""One git command, bounded in memory, processor time, seconds and bytes, killed with all its children when it
exceeds them.
"""

import contextlib
import math
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from git import Git
from git.exc import GitCommandNotFound

from reconciler.git.git_environment import GitEnvironment

LOCAL_SECONDS = 60.0
NETWORK_SECONDS = 120.0
OUTPUT_BYTES_MAX = 64 * 1024 * 1024
WRITTEN_BYTES_MAX = 1024 * 1024 * 1024
"""Largest file that git may write, so the largest pack that it takes from a repository."""

MEMORY_BYTES_MAX = 1024 * 1024 * 1024
"""Address space of each process of a command; an object that needs more is refused by git itself."""

_STDERR_BYTES_MAX = 16 * 1024

_LIMITED = """\
ulimit -c 0 2>/dev/null; ulimit -f "$1" 2>/dev/null; ulimit -t "$2" 2>/dev/null; ulimit -v "$3" 2>/dev/null
shift 3; exec "$@"\
"""
"""Limits that hold from the first instruction on; a preexec function is not safe beside threads, and a limit
set after the start misses the children that git has started by then.
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended; `code` is git's own, or TIMED_OUT, TOO_LONG, LEFT_ALONE (not run, as a
    remote's back-off is not over; `errors` says so) or NO_GIT.
    """

    code: int
    output: bytes
    errors: str

    @property
    def text(self) -> str:
        """The output as text, without the line end at its end."""
        return self.output.decode("utf-8", "replace").rstrip("\n")

    @property
    def used_up(self) -> bool:
        """Whether the kernel ended it: its processor time or the machine's memory was used up."""
        return self.code in (-signal.SIGXCPU, -signal.SIGKILL)


TIMED_OUT = 124
TOO_LONG = 125
LEFT_ALONE = 126
NO_GIT = 127


def limited(command: Sequence[str], seconds: float) -> list[str]:
    """The command with our bounds on memory, on each file written, and half of `seconds` of processor time,
    for each of its processes; a stricter limit that is already in place stays.
    """
    blocks, cpu = WRITTEN_BYTES_MAX // 512, max(1, math.ceil(seconds / 2))
    limits = (str(blocks), str(cpu), str(MEMORY_BYTES_MAX // 1024))
    return ["sh", "-c", _LIMITED, "sh", *limits, *command]


class GitCommands(Protocol):
    """Runs git on one repository; belongs to one thread."""

    held: tuple[int, ...]
    """Descriptors that commands inherit: the mirror's lock, which an orphaned git so goes on holding."""

    def run(self, *arguments: str, given: bytes = b"", seconds: float = LOCAL_SECONDS) -> Ran:
        """Run `git <arguments>` with `given` on its standard input; never raises for what git does."""


class GitRunner:
    """Runs git in our own environment."""

    def __init__(self, world: GitEnvironment, directory: Path) -> None:
        self._world = world
        self._git = Git(directory)
        self.held: tuple[int, ...] = ()

    def run(self, *arguments: str, given: bytes = b"", seconds: float = LOCAL_SECONDS) -> Ran:
        hide = [word for name in self._world.hidden for word in ("-u", name)]
        command = (["env", *hide] if hide else []) + ["git", *arguments]
        try:
            started = self._git.execute(
                limited(command, seconds),
                istream=subprocess.PIPE,
                as_process=True,
                env=self._world.variables,
                start_new_session=True,
                pass_fds=self.held,
            )
        except GitCommandNotFound:
            return Ran(NO_GIT, b"", "fatal: git is not installed")
        process = started.proc
        assert process is not None, "GitPython gives the process it started"
        # The AutoInterrupt must outlive the reading: when it is collected, it ends git.
        ran = _Reading(process, given, seconds).finish()
        del started
        return ran


class _Reading:
    """The traffic with one running git: a thread for each direction but the output's."""

    def __init__(self, process: "subprocess.Popen[bytes]", given: bytes, seconds: float) -> None:
        self._process = process
        self._errors = b""
        self._stopped = 0
        self._clock = threading.Timer(seconds, self._stop, (TIMED_OUT,))
        self._clock.daemon = True
        assert process.stdin is not None
        assert process.stderr is not None
        self._threads = (
            threading.Thread(target=_feed, args=(process.stdin, given), daemon=True),
            threading.Thread(target=self._drain, args=(process.stderr,), daemon=True),
        )

    def finish(self) -> Ran:
        """Read to the end, or stop the command; either way nothing of it is left running."""
        self._clock.start()
        for thread in self._threads:
            thread.start()
        try:
            output = self._read_output()
            code = self._process.wait()
        except BaseException:
            self._stop(TIMED_OUT)
            raise
        finally:
            self._clock.cancel()
        for thread in self._threads:
            thread.join(5)
        return Ran(self._stopped or code, output, self._errors.decode("utf-8", "replace"))

    def _read_output(self) -> bytes:
        assert self._process.stdout is not None
        chunks: list[bytes] = []
        size = 0
        while chunk := self._process.stdout.read(1 << 16):
            size += len(chunk)
            if size > OUTPUT_BYTES_MAX:
                self._stop(TOO_LONG)
                break
            chunks.append(chunk)
        return b"".join(chunks)

    def _drain(self, stream: IO[bytes]) -> None:
        while chunk := stream.read(1 << 12):
            self._errors = (self._errors + chunk)[-_STDERR_BYTES_MAX:]

    def _stop(self, code: int) -> None:
        self._stopped = code
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _feed(stream: IO[bytes], given: bytes) -> None:
    # A command that ends early closes its input; what it says of that is in its errors.
    with contextlib.suppress(OSError):
        stream.write(given)
    with contextlib.suppress(OSError):
        stream.close()
