"""Notifications to systemd (sd_notify): datagrams to the socket named in the environment."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path

HEARTBEAT_VARIABLE = "PROVIDER_DAEMON_HEARTBEAT"
"""Names a file that each heartbeat touches, for a supervisor that checks its age (such as a container's)."""


class Systemd:
    """Notifies systemd, if NOTIFY_SOCKET is set. Thread-safe; never raises or blocks."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._heartbeat = environment.get(HEARTBEAT_VARIABLE, "")
        self.watchdog_seconds = _watchdog_seconds(environment)
        """Interval within which systemd expects a heartbeat; None: the watchdog is off."""

    def ready(self, status: str) -> None:
        """Report that the servers run and cycles begin."""
        self._send(f"READY=1\nSTATUS={_line(status)}")

    def status(self, status: str) -> None:
        """Set the line of `systemctl status`."""
        self._send(f"STATUS={_line(status)}")

    def alive(self) -> None:
        """Send a heartbeat."""
        if self.watchdog_seconds is not None:
            self._send("WATCHDOG=1")
        if self._heartbeat:
            with contextlib.suppress(OSError):
                Path(self._heartbeat).touch()

    def stopping(self) -> None:
        """Report that the daemon stops after the current cycle."""
        self._send("STOPPING=1\nSTATUS=stopping after the current cycle")

    def _send(self, message: str) -> None:
        if not self._address.startswith(("/", "@")):
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with (
            contextlib.suppress(OSError),  # a socket that nobody reads must not block
            socket.socket(
                socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
            ) as out,
        ):
            out.sendto(message.encode(), address)


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """As sd_watchdog_enabled: for this process, or without a process id."""
    interval, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not interval.isdigit() or int(interval) == 0 or (process and process != str(os.getpid())):
        return None
    return int(interval) / 1_000_000


def _line(text: str) -> str:
    return " ".join(text.split())
