"""`provider-daemon` commands as processes of their own, ended by their ids."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from tests.waiting import WAIT_SECONDS, Found, wait_until

FAST = ("--block-seconds", "0.25", "--due-seconds", "24")
"""Blocks four times as fast as in the demo, and money due later in proportion, so that nothing is due again
before the last step, even on a busy machine.
"""
COMMAND = (sys.executable, "-m", "reconciler")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`provider-daemon ARGUMENTS`, to its end."""
    command = [*COMMAND, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)


class RunningCommand:
    """`provider-daemon ARGUMENTS` in the background; its log can be read while it runs."""

    def __init__(self, *arguments: str) -> None:
        self._stderr = TemporaryFile()  # noqa: SIM115  # it is read as long as this object lives
        self._process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            start_new_session=True,
        )
        self.pid = self._process.pid

    @property
    def stderr(self) -> str:
        """What it has logged."""
        file = self._stderr.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace")

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def wait(self) -> int:
        """The exit code, once it has ended."""
        try:
            return self._process.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError(f"it does not end\n{self.stderr}") from None

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self.wait()

    def wait_until(self, condition: Callable[[], Found], what: str) -> Found:
        """Wait for something that this process brings about; a failure shows what it has logged."""
        return wait_until(condition, what, is_running=self.is_running, log=lambda: self.stderr)


@contextmanager
def running(*arguments: str) -> Iterator[RunningCommand]:
    """A command that is interrupted at the end and must then exit with 0; a failed test shows its log."""
    command = RunningCommand(*arguments)
    try:
        yield command
    finally:
        code = command.interrupt() if command.is_running() else command.wait()
        print(command.stderr)
    assert code == 0, command.stderr


def daemon(host: Path) -> AbstractContextManager[RunningCommand]:
    """`provider-daemon run` with a host file."""
    return running("run", "--host", str(host))


def devnet_facts(home: Path) -> dict[str, Any]:
    """`devnet.json`, as it is now."""
    try:
        facts: dict[str, Any] = json.loads((home / "devnet.json").read_text())
    except FileNotFoundError:
        return {"pid": 0}
    return facts


@contextmanager
def devnet(home: Path, *options: str) -> Iterator[dict[str, Any]]:
    """A devnet in a directory; yields the facts of its `devnet.json`."""
    with running("devnet", "--home", str(home), *options) as command:
        command.wait_until(lambda: devnet_facts(home)["pid"] == command.pid, "the devnet is ready")
        yield devnet_facts(home)
    assert command.stderr == ""
