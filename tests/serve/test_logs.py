"""Logs are text, bounded in lines, bytes, time and readers."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from reconciler.serve import logs
from reconciler.serve.api import Api
from reconciler.serve.board import Board
from reconciler.serve.logs import LogDesk, LogReader
from reconciler.serve.server import Servers, start_servers
from reconciler.values.snapshot import WorkloadSnapshot
from tests.serve.asking import ask
from tests.serve.conftest import ANY
from tests.serve.worlds import FULL, NOON, WELL

PATH = f"/api/v1/workloads/{WELL.id}/logs"


def serving(read: LogReader) -> Servers:
    """Servers whose logs come from this reader."""
    return start_servers(Api(Board(FULL), LogDesk(read), lambda: NOON), ANY, ANY)


def test_logs_are_plain_text(servers: Servers) -> None:
    answer = ask(servers.ports.api, PATH)
    assert (answer.code, answer.type) == (200, "text/plain; charset=utf-8")
    assert answer.body == f"web: {WELL.id}\nweb: 1000 lines\n".encode()
    assert ask(servers.ports.api, f"{PATH}?tail=7").body.endswith(b"web: 7 lines\n")


@pytest.mark.parametrize("tail", ["0", "-1", "x", "", "10001", "99999999999999999999", "%C2%B2"])
def test_a_senseless_tail_is_refused(servers: Servers, tail: str) -> None:
    answer = ask(servers.ports.api, f"{PATH}?tail={tail}")
    assert (answer.code, answer.tree["advice"]) == (400, "ask for 1 to 10000")


def test_too_many_bytes_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(_: WorkloadSnapshot, __: int) -> Iterator[bytes]:
        while True:
            yield b"x" * 100

    monkeypatch.setattr(logs, "BYTES_MAX", 1000)
    servers = serving(endless)
    answer = ask(servers.ports.api, PATH)
    servers.stop()
    assert answer.body == b"x" * 1000 + b"\n(cut here: ask for fewer lines with ?tail=)\n"


def test_a_reader_that_fails_gives_its_sentence() -> None:
    def refused(_: WorkloadSnapshot, __: int) -> Iterator[bytes]:
        raise OSError("no pod of it has started")
        yield b""

    servers = serving(refused)
    answer = ask(servers.ports.api, PATH)
    servers.stop()
    assert answer.code == 502
    assert answer.tree["error"] == f"the logs of {WELL.id} cannot be read: no pod of it has started"


def test_readers_that_hang_stop_no_other_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = threading.Event()

    def hanging(_: WorkloadSnapshot, __: int) -> Iterator[bytes]:
        wait.wait(20)
        yield b"late\n"

    monkeypatch.setattr(logs, "SECONDS_MAX", 0.2)
    servers = serving(hanging)
    try:
        codes = [ask(servers.ports.api, PATH).code for _ in range(logs.AT_ONCE + 1)]
        assert codes == [504] * logs.AT_ONCE + [503]
        assert ask(servers.ports.api, "/api/v1/status").code == 200
        wait.set()
        for _ in range(100):
            if (answer := ask(servers.ports.api, PATH)).code == 200:
                break
        assert answer.body == b"late\n"
    finally:
        wait.set()
        servers.stop()
