"""What systemd is told of us (sd_notify): datagrams to the socket that it names in the environment."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path

HEARTBEAT_VARIABLE = "PROVIDER_DAEMON_HEARTBEAT"
"""Names a file that each sign of life touches, for a supervisor that looks at its age (a container's)."""


class Systemd:
    """Tells systemd how we are; tells nobody where none asked. Any thread; never raises, never waits."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._heartbeat = environment.get(HEARTBEAT_VARIABLE, "")
        self.watchdog_seconds = _watchdog_seconds(environment)
        """How often it wants a sign of life, in seconds; None: it does not."""

    def ready(self, status: str) -> None:
        """We serve and cycle."""
        self._tell(f"READY=1\nSTATUS={_line(status)}")

    def status(self, status: str) -> None:
        """One line for `systemctl status`."""
        self._tell(f"STATUS={_line(status)}")

    def alive(self) -> None:
        """A sign of life."""
        if self.watchdog_seconds is not None:
            self._tell("WATCHDOG=1")
        if self._heartbeat:
            with contextlib.suppress(OSError):
                Path(self._heartbeat).touch()

    def stopping(self) -> None:
        """We end after the cycle under way."""
        self._tell("STOPPING=1\nSTATUS=stopping after the cycle under way")

    def _tell(self, words: str) -> None:
        if not self._address.startswith(("/", "@")):
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with (
            contextlib.suppress(OSError),  # whoever does not listen is not waited for
            socket.socket(
                socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
            ) as out,
        ):
            out.sendto(words.encode(), address)


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """As sd_watchdog_enabled: asked of this very process, or of nobody in particular."""
    asked, whom = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not asked.isdigit() or int(asked) == 0 or (whom and whom != str(os.getpid())):
        return None
    return int(asked) / 1_000_000


def _line(text: str) -> str:
    return " ".join(text.split())
