"""A forge that is down, slow, broken or overloaded stops nothing but its own messages."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.cycle.run import Runner
from reconciler.forge import status_sender as module
from reconciler.forge.settings import ForgeSettings
from reconciler.forge.status_sender import StatusSender, status_sender
from reconciler.runtime.work_queues import ThreadedQueues
from reconciler.values.forge_repository import forge_repository
from tests import makers
from tests.cycle.worlds import Scenery, scenery
from tests.forge.fake import REPOSITORY, TOKEN, FakeForge, Trouble

TROUBLES = {
    "slow": Trouble(500, slow_seconds=0.5),
    "500": Trouble(500),
    "429": Trouble(429, {"Retry-After": "0"}),
    "401": Trouble(401),
    "404": Trouble(404),
    "breaks off": Trouble(0),
    "a page": Trouble(200, body=b"<html>"),
    "moved": Trouble(302, {"Location": "https://evil.example/"}),
}
SLOWEST_SECONDS = 0.3
"""A cycle in memory takes some 5 ms; a forge's answer takes at least half a second when it is slow."""


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "wait_seconds", lambda *_: 0.05)


def _runner(scene: Scenery, teller: StatusSender) -> Runner:
    """Of a daemon with this forge, whose effects run beside the loop."""
    queues = ThreadedQueues(scene.clock.now, lambda: None)
    return Runner(replace(scene.world, forge=teller, queues=queues), makers.US)


def cycles(runner: Runner, fake: FakeForge, seconds: float = 15) -> tuple[int, float]:
    """Cycle until the forge was told; how many cycles, and the longest."""
    runner.run_cycle()
    longest, count, ends = 0.0, 0, time.monotonic() + seconds
    while not fake.statuses:
        assert time.monotonic() < ends, "the forge was never told"
        began = time.monotonic()
        runner.run_cycle()
        longest, count = max(longest, time.monotonic() - began), count + 1
        time.sleep(0.01)
    return count, longest


@pytest.mark.parametrize("name", TROUBLES)
def test_a_slow_forge_delays_no_cycle(name: str, fake: FakeForge, tmp_path: Path) -> None:
    fake.troubles = [TROUBLES[name], TROUBLES[name]]
    scene = scenery(tmp_path)
    teller = StatusSender(
        status_sender(ForgeSettings(forge_repository(fake.url, REPOSITORY), tmp_path, "x"), lambda: TOKEN)
    )
    runner = _runner(scene, teller)
    count, longest = cycles(runner, fake)
    assert count > 2
    assert longest < SLOWEST_SECONDS
    for _ in range(3):
        runner.run_cycle()
        time.sleep(0.05)
    assert [each["state"] for each in fake.statuses] == ["success"]
    scene.journal.close()


def test_an_unreachable_forge_gets_the_state_later(fake: FakeForge, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        down = f"http://127.0.0.1:{server.getsockname()[1]}"
    at = [down]
    scene = scenery(tmp_path)

    def send(said: object) -> None:
        page = ForgeSettings(forge_repository(at[0], REPOSITORY), tmp_path, "x")
        status_sender(page, lambda: TOKEN)(said)  # type: ignore[arg-type]  # handed through

    teller = StatusSender(send)
    runner = _runner(scene, teller)
    for _ in range(20):
        runner.run_cycle()
        time.sleep(0.01)
    assert not fake.statuses
    at[0] = fake.url
    cycles(runner, fake)
    scene.journal.close()


def test_an_unreadable_token_stops_no_cycle(fake: FakeForge, tmp_path: Path) -> None:
    scene, tokens = scenery(tmp_path), ["", TOKEN]

    def token() -> str:
        if not (found := tokens.pop(0)):
            raise RuntimeError("others may read it")
        return found

    teller = StatusSender(
        status_sender(ForgeSettings(forge_repository(fake.url, REPOSITORY), tmp_path, "x"), token)
    )
    cycles(_runner(scene, teller), fake)
    assert tokens == []
    scene.journal.close()
