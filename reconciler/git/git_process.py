"""A git command with limits on memory, CPU time, seconds and bytes, killed if it exceeds them."""

import contextlib
import math
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
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
"""Of a file that git writes, and so of a pack that it fetches."""

MEMORY_BYTES_MAX = 1024 * 1024 * 1024
"""Address space of each process of a command; git itself rejects an object that needs more."""

_STDERR_BYTES_MAX = 16 * 1024

_LIMITED = """\
ulimit -c 0 2>/dev/null; ulimit -f "$1" 2>/dev/null; ulimit -t "$2" 2>/dev/null; ulimit -v "$3" 2>/dev/null
shift 3; exec "$@"\
"""
"""Limits from the first instruction on: a preexec function is not safe with threads, and a limit that is set
after the start misses children.
"""


@dataclass(frozen=True, slots=True)
class GitResult:
    """How a command ended; `code` is git's own, or TIMED_OUT, TOO_LONG, BACKED_OFF (not run because of the
    remote's back-off; `errors` says until when) or GIT_MISSING.
    """

    code: int
    output: bytes
    errors: str

    @property
    def text(self) -> str:
        """The output as text, without the final line end."""
        return self.output.decode("utf-8", "replace").rstrip("\n")

    @property
    def hit_limit(self) -> bool:
        """Whether the kernel killed it, for its CPU time or the machine's memory."""
        return self.code in (-signal.SIGXCPU, -signal.SIGKILL)

    @property
    def has_ended_itself(self) -> bool:
        """Whether git ran to its end, so that its code says something about the repository."""
        return self.code >= 0 and self.code not in (TIMED_OUT, TOO_LONG, BACKED_OFF, GIT_MISSING)


NO_VARIABLES: Mapping[str, str] = {}

TIMED_OUT = 124
TOO_LONG = 125
BACKED_OFF = 126
GIT_MISSING = 127


def with_limits(command: Sequence[str], seconds: float) -> list[str]:
    """The command with limits on memory, on each file written, and half of `seconds` of CPU time for
    each of its processes; a stricter limit that is already set stays.
    """
    blocks, cpu = WRITTEN_BYTES_MAX // 512, max(1, math.ceil(seconds / 2))
    limits = (str(blocks), str(cpu), str(MEMORY_BYTES_MAX // 1024))
    return ["sh", "-c", _LIMITED, "sh", *limits, *command]


class GitCommands(Protocol):
    """Runs git on one repository; used by one thread."""

    lock_descriptors: tuple[int, ...]
    """Inherited by commands, so that an orphaned git keeps holding the mirror's lock."""

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        seconds: float = LOCAL_SECONDS,
        variables: Mapping[str, str] = NO_VARIABLES,
    ) -> GitResult:
        """Run `git <arguments>` with `stdin` on its standard input and further environment variables; never
        raises for what git does.
        """

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `git <arguments>` with pipes as input and output, within the limits of a local command; the
        caller ends it.
        """

    def close(self) -> None:
        """Kill the command that runs, from any thread, and run no further one."""


class GitRunner:
    """Runs git in our own environment."""

    def __init__(self, environment: GitEnvironment, directory: Path) -> None:
        self._environment = environment
        self._directory = directory
        self._git = Git(directory)
        self.lock_descriptors: tuple[int, ...] = ()
        self._io: _GitIO | None = None
        self._is_closed = False

    def close(self) -> None:
        self._is_closed = True
        if (io := self._io) is not None:
            io.kill(TIMED_OUT)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            with_limits(self._command(arguments), LOCAL_SECONDS),
            cwd=self._directory,
            env=os.environ | self._environment.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _command(self, arguments: Sequence[str]) -> list[str]:
        hide = [word for name in self._environment.hidden for word in ("-u", name)]
        return [*(["env", *hide] if hide else []), "git", *arguments]

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        seconds: float = LOCAL_SECONDS,
        variables: Mapping[str, str] = NO_VARIABLES,
    ) -> GitResult:
        if self._is_closed:
            return GitResult(TIMED_OUT, b"", "fatal: the daemon stops")
        try:
            started = self._git.execute(
                with_limits(self._command(arguments), seconds),
                istream=subprocess.PIPE,
                as_process=True,
                env={**self._environment.variables, **variables},
                start_new_session=True,
                pass_fds=self.lock_descriptors,
            )
        except GitCommandNotFound:
            return GitResult(GIT_MISSING, b"", "fatal: git is not installed")
        process = started.proc
        assert process is not None, "GitPython gives the process it started"
        # The AutoInterrupt must outlive the reading: when it is collected, it ends git.
        self._io = _GitIO(process, stdin, seconds)
        if self._is_closed:
            self._io.kill(TIMED_OUT)  # closed while it started
        ran = self._io.finish()
        self._io = None
        del started
        return ran


class _GitIO:
    """The streams of a running git: a thread for standard input and one for standard error."""

    def __init__(self, process: "subprocess.Popen[bytes]", stdin: bytes, seconds: float) -> None:
        self._process = process
        self._errors = b""
        self._stopped = 0
        self._clock = threading.Timer(seconds, self.kill, (TIMED_OUT,))
        self._clock.daemon = True
        assert process.stdin is not None
        assert process.stderr is not None
        self._threads = (
            threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True),
            threading.Thread(target=self._drain, args=(process.stderr,), daemon=True),
        )

    def finish(self) -> GitResult:
        """Read to the end, or kill the command; either way none of its processes remain."""
        self._clock.start()
        for thread in self._threads:
            thread.start()
        try:
            output = self._read_output()
            code = self._process.wait()
        except BaseException:
            self.kill(TIMED_OUT)
            raise
        finally:
            self._clock.cancel()
        for thread in self._threads:
            thread.join(5)
        return GitResult(self._stopped or code, output, self._errors.decode("utf-8", "replace"))

    def _read_output(self) -> bytes:
        assert self._process.stdout is not None
        chunks: list[bytes] = []
        size = 0
        while chunk := self._process.stdout.read(1 << 16):
            size += len(chunk)
            if size > OUTPUT_BYTES_MAX:
                self.kill(TOO_LONG)
                break
            chunks.append(chunk)
        return b"".join(chunks)

    def _drain(self, stream: IO[bytes]) -> None:
        while chunk := stream.read(1 << 12):
            self._errors = (self._errors + chunk)[-_STDERR_BYTES_MAX:]

    def kill(self, code: int) -> None:
        """End it with this code; any thread may call it."""
        self._stopped = code
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _feed(stream: IO[bytes], stdin: bytes) -> None:
    # A command that ends early closes its input; its errors say why.
    with contextlib.suppress(OSError):
        stream.write(stdin)
    with contextlib.suppress(OSError):
        stream.close()
