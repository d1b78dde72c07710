"""Rising heights wake the loop; a silent node wakes nobody and is asked again."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.chain.height_watcher import HeightWatch
from reconciler.chain.rpc import Rpc
from tests.contracts.chain_worlds import ChainWorld

SOON_SECONDS = 10


def test_each_new_height_wakes_and_none_does_not(world: ChainWorld) -> None:
    woken = threading.Semaphore(0)
    watch = HeightWatch(world.rpc, woken.release, 0.01)
    watch.start()
    try:
        for _ in range(2):
            assert woken.acquire(timeout=SOON_SECONDS)
            assert not woken.acquire(timeout=0.1)
            world.advance()
        assert woken.acquire(timeout=SOON_SECONDS)
    finally:
        watch.close()


def test_a_silent_node_ends_nothing() -> None:
    woken = threading.Event()
    watch = HeightWatch(Rpc("http://127.0.0.1:9"), woken.set, 0.01)
    watch.start()
    assert not woken.wait(0.1)
    watch.close()
    assert not [each for each in threading.enumerate() if each.name == "heights"]


@pytest.mark.parametrize("error", [RuntimeError, ValueError, MemoryError])
def test_an_answer_that_nobody_expected_does_not_end_the_watch(error: type[Exception]) -> None:
    class Odd:
        def __init__(self) -> None:
            self.asked = 0

        def status(self) -> Any:
            self.asked += 1
            if self.asked < 3:
                raise error("odd")
            return SimpleNamespace(height=7)

    woken = threading.Event()
    watch = HeightWatch(cast("Rpc", Odd()), woken.set, 0.01)
    watch.start()
    assert woken.wait(SOON_SECONDS)
    watch.close()
