"""The demo's processes: started, awaited, stopped and killed."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from reconciler.devnet.errors import DevnetError
from reconciler.devnet.home import Home
from reconciler.devnet.processes import DaemonProgram, Program, await_devnet, devnet_program


def test_a_devnet_that_does_not_start_is_reported_with_its_output(tmp_path: Path) -> None:
    program = devnet_program(Home(tmp_path / "new"), ["--block-seconds", "never"])
    program.start()
    with pytest.raises(DevnetError, match=r"(?s)the devnet did not start: .*'never' is not a valid"):
        await_devnet(Home(tmp_path / "new"), program)


def test_a_devnet_is_awaited_and_stopped(tmp_path: Path) -> None:
    home = Home(tmp_path)
    program = devnet_program(home, ["--block-seconds", "0.2"])
    program.start()
    await_devnet(home, program)
    assert program.is_alive()
    assert home.facts().pid == program.pid
    program.stop()
    assert not program.is_alive()
    assert "has stopped at height" in program.tail()
    program.stop()


def test_a_killed_process_has_ended(tmp_path: Path) -> None:
    program = devnet_program(Home(tmp_path), [])
    assert not program.is_alive()
    program.kill()
    program.start()
    pid = program.pid
    program.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_once_returns_the_exit_code(tmp_path: Path) -> None:
    assert DaemonProgram(Home(tmp_path)).once() == (1, "")
    assert "the host file" in Program([], tmp_path / "daemon.log").tail()


def test_a_process_without_output(tmp_path: Path) -> None:
    assert Program([], tmp_path / "nothing.log").tail() == ""


@pytest.mark.parametrize("clients", [False, True], ids=["alone", "with open connections"])
def test_repeated_signals_end_a_devnet(tmp_path: Path, clients: bool) -> None:
    home = Home(tmp_path)
    program = devnet_program(home, ["--block-seconds", "0.1"])
    program.start()
    await_devnet(home, program)
    with ExitStack() as stack:
        if clients:
            stack.enter_context(_open_connections(home))
        for number in [signal.SIGINT, signal.SIGTERM] * 10:
            with suppress(ProcessLookupError):
                os.kill(program.pid, number)
        began = time.monotonic()
        program.stop()
        assert time.monotonic() - began < 8
    assert "has stopped at height" in program.tail()
    assert home.facts().pid == 0


@contextmanager
def _open_connections(home: Home) -> Iterator[None]:
    """A connection to each port: an idle one, one that subscribes to blocks, one that watches pods."""
    ports = home.facts().ports
    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: eA==\r\n"
    requests = {
        ports.grpc: "",
        ports.rpc: f"GET /websocket HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n",
        ports.cluster: "GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    }
    with ExitStack() as stack:
        for port, request in requests.items():
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            connection.sendall(request.encode())
            if request:
                assert connection.recv(12).startswith(b"HTTP/1.1 ")
        yield
