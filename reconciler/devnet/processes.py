"""The demo's processes, devnet and daemon: started as a user does, ended by their ids."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from reconciler.devnet.errors import DevnetError
from reconciler.devnet.home import Home

START_SECONDS = 30
END_SECONDS = 20
ONCE_SECONDS = 60


class Program:
    """`provider-daemon ARGUMENTS`, with its output appended to a file."""

    def __init__(self, arguments: list[str], output: Path) -> None:
        self.arguments = arguments
        self.output = output
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process's id; 0 before the start."""
        return self._running.pid if self._running else 0

    def start(self) -> None:
        """Start it in a session of its own, which the terminal's Ctrl-C does not reach."""
        with self.output.open("ab") as output:
            self._running = subprocess.Popen(
                [sys.executable, "-m", "reconciler", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._running is not None and self._running.poll() is None

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()

    def stop(self) -> None:
        """Send SIGTERM, and SIGKILL after a timeout; DevnetError then."""
        if self._running is None or not self.is_alive():
            return
        self._running.send_signal(signal.SIGTERM)
        try:
            self._running.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise DevnetError(f"{self.arguments[0]} did not end within {END_SECONDS} s of SIGTERM") from None

    def tail(self, lines: int = 20) -> str:
        """The last lines of its output."""
        if not self.output.exists():
            return ""
        return "\n".join(self.output.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


class DaemonProgram(Program):
    """`provider-daemon run` on a devnet's host file."""

    def __init__(self, home: Home) -> None:
        super().__init__(["run", "--host", str(home.host_file)], home.directory / "daemon.log")

    def once(self) -> tuple[int, str]:
        """`run --once`: its exit code and standard output."""
        command = [sys.executable, "-m", "reconciler", *self.arguments, "--once"]
        with self.output.open("ab") as log:
            try:
                done = subprocess.run(
                    command, stdout=subprocess.PIPE, stderr=log, timeout=ONCE_SECONDS, check=False
                )
            except subprocess.TimeoutExpired:
                raise DevnetError(f"`run --once` did not end within {ONCE_SECONDS} s") from None
        return done.returncode, done.stdout.decode(errors="replace")


def devnet_program(home: Home, options: list[str]) -> Program:
    """`provider-daemon devnet` in a directory."""
    home.directory.mkdir(parents=True, exist_ok=True)
    arguments = ["devnet", "--home", str(home.directory), *options]
    return Program(arguments, home.directory / "devnet.log")


def await_devnet(home: Home, program: Program) -> None:
    """Wait until it has written its addresses; DevnetError with its last lines where it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and program.is_alive():
        if home.facts().pid == program.pid:
            return
        time.sleep(0.05)
    raise DevnetError(f"the devnet did not start: {program.tail(5) or 'no output'}")
