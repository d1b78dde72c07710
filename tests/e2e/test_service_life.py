"""A daemon as systemd sees it: ready, alive while it cycles, its log line by line, stopping."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

import pytest

from tests.e2e.processes import daemon, devnet


def test_what_systemd_and_its_journal_receive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, heartbeat = tmp_path / "world", tmp_path / "alive"
    messages: list[str] = []
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
        devnet(home, "--block-seconds", "0.25"),
    ):
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        monkeypatch.setenv("PROVIDER_DAEMON_HEARTBEAT", str(heartbeat))
        monkeypatch.setenv("JOURNAL_STREAM", "8:1")

        def receive() -> list[str]:
            messages.append(systemd.recv(4096).decode())
            return messages

        with daemon(home / "host.yaml") as process:
            process.wait_until(lambda: receive()[3:], "three watchdog messages")
            time.sleep(0.5)
        while not messages[-1].startswith("STOPPING=1"):
            receive()
    assert messages[0].startswith("READY=1\nSTATUS=API on 127.0.0.1:")
    assert set(messages[1:-1]) == {"WATCHDOG=1"}
    assert heartbeat.exists()
    lines = process.stderr.splitlines()
    assert [line for line in lines if not re.match(r"<[2-7]>[a-z_.]+: ", line)] == []
