"""sd_notify over datagram sockets."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from reconciler.runtime.systemd import Systemd


@pytest.mark.parametrize("abstract", [False, True])
def test_messages_go_to_the_named_socket(tmp_path: Path, abstract: bool) -> None:
    name = f"@provider-daemon-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name[1:]}" if abstract else name)
        systemd.settimeout(5)
        notifier = Systemd(
            {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
        )
        notifier.ready("API on 127.0.0.1:8443\nREADY=0")
        notifier.alive()
        notifier.stopping()
        heard = [systemd.recv(4096).decode() for _ in range(3)]
    assert heard[0] == "READY=1\nSTATUS=API on 127.0.0.1:8443 READY=0"
    assert heard[1] == "WATCHDOG=1"
    assert heard[2].startswith("STOPPING=1\n")
    assert notifier.watchdog_seconds == 30


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"},
    ],
)
def test_without_a_watchdog_interval_there_is_no_watchdog(environment: dict[str, str]) -> None:
    assert Systemd(environment).watchdog_seconds is None


def test_without_a_listener_nothing_fails(tmp_path: Path) -> None:
    Systemd({}).ready("x")
    Systemd({"NOTIFY_SOCKET": str(tmp_path / "none")}).ready("x")
    Systemd({"NOTIFY_SOCKET": "vsock:2:1"}).status("x")


def test_a_full_socket_does_not_block(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        notifier = Systemd({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        for _ in range(5_000):
            notifier.status("x" * 100)


def test_a_heartbeat_touches_the_file(tmp_path: Path) -> None:
    beat = tmp_path / "alive"
    notifier = Systemd({"PROVIDER_DAEMON_HEARTBEAT": str(beat)})
    assert not beat.exists()
    notifier.alive()
    os.utime(beat, (7, 7))
    notifier.alive()
    assert beat.stat().st_mtime > 7
    Systemd({"PROVIDER_DAEMON_HEARTBEAT": str(tmp_path / "none" / "alive")}).alive()
