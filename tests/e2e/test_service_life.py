"""A daemon as systemd sees it: ready, alive while it cycles, its log line by line, stopping."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

import pytest

from tests.e2e.running import devnet, interrupt, start


def test_what_systemd_hears_and_the_journal_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, heartbeat = tmp_path / "world", tmp_path / "alive"
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
        devnet(home, "--block-seconds", "0.25"),
    ):
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        monkeypatch.setenv("PROVIDER_DAEMON_HEARTBEAT", str(heartbeat))
        monkeypatch.setenv("JOURNAL_STREAM", "8:1")
        daemon = start("run", "--host", str(home / "host.yaml"))
        heard = [systemd.recv(4096).decode() for _ in range(4)]
        time.sleep(0.5)
        code, _, err = interrupt(daemon)
        while not heard[-1].startswith("STOPPING=1"):
            heard.append(systemd.recv(4096).decode())
    assert code == 0
    assert heard[0].startswith("READY=1\nSTATUS=API on 127.0.0.1:")
    assert set(heard[1:-1]) == {"WATCHDOG=1"}
    assert heartbeat.exists()
    assert [line for line in err.splitlines() if not re.match(r"<[2-7]>[a-z_.]+: ", line)] == []
