"""Heights that a node shows against those seen before: what is impossible, what is behind, what is false."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.chain.heights import (
    CONTRADICTION_SECONDS,
    MIN_BLOCK_SECONDS,
    SLACK_BLOCKS,
    HeightBounds,
    HeightWatch,
    SeenHeight,
    seen_height,
)
from reconciler.chain.rpc import NodeStatus, Rpc
from reconciler.values.memory import Memory
from tests.contracts.chain_backends import ChainWorld

NOW = 1_795_500_000.0
HEIGHT = 1_000_000
ABSURD = 10**15


def status(height: int, time: float, earliest: tuple[int, float] = (1, 0.0)) -> NodeStatus:
    return NodeStatus("chain-1", height, time, False, *earliest, indexing=True)


def seen(height: int = HEIGHT, ago: float = 0) -> HeightBounds:
    bounds = HeightBounds()
    bounds.accept(height, NOW - ago, NOW - ago)
    return bounds


def test_the_first_height_is_accepted_unless_impossible() -> None:
    assert HeightBounds().check(status(HEIGHT, NOW), NOW) is None
    assert "more blocks than a chain can have" in str(HeightBounds().check(status(ABSURD, NOW), NOW))
    oldest = (HEIGHT - 500_000, NOW - 60)
    assert "more blocks than" in str(HeightBounds().check(status(HEIGHT, NOW, oldest), NOW))
    assert HeightBounds().check(status(HEIGHT, NOW, (HEIGHT - 10, NOW - 60)), NOW) is None


@pytest.mark.parametrize("elapsed", [0, 5, 3600])
def test_a_height_may_rise_as_fast_as_blocks_can_be_made(elapsed: int) -> None:
    most = HEIGHT + SLACK_BLOCKS + int(elapsed / MIN_BLOCK_SECONDS)
    now = NOW + elapsed
    assert seen().check(status(most, now), now) is None
    assert "no chain is that fast" in str(seen().check(status(most + 1, now), now))


def test_a_rejected_height_does_not_change_the_bounds() -> None:
    bounds = seen()
    for after in range(10):
        assert bounds.check(status(ABSURD, NOW + after), NOW + after) is not None
    assert bounds.check(status(HEIGHT + 2, NOW + 10), NOW + 10) is None
    assert bounds.floor == HEIGHT


def test_a_lagging_node_is_rejected_indefinitely() -> None:
    bounds = seen()
    for after in (1, CONTRADICTION_SECONDS, 10 * CONTRADICTION_SECONDS):
        assert "behind height 1000000" in str(bounds.check(status(HEIGHT - 9, NOW - 45), NOW + after))
    assert bounds.check(status(HEIGHT - 1, NOW - 5), NOW) is None


def test_a_floor_that_later_blocks_disprove_is_dropped_after_a_minute() -> None:
    bounds = seen(HEIGHT + 90)
    assert "one of the two is false" in str(bounds.check(status(HEIGHT, NOW + 5), NOW + 5))
    assert "forget-height" in str(bounds.check(status(HEIGHT + 1, NOW + 10), NOW + 10))
    assert bounds.check(status(HEIGHT + 12, NOW + 65), NOW + 65) is None
    assert bounds.floor == 0


def test_the_false_height_restarts_the_minute() -> None:
    bounds = seen(HEIGHT + 90)
    assert bounds.check(status(HEIGHT, NOW + 5), NOW + 5) is not None
    assert bounds.check(status(HEIGHT + 91, NOW + 40), NOW + 40) is None
    assert bounds.check(status(HEIGHT + 12, NOW + 65), NOW + 65) is not None


def test_an_accepted_low_height_does_not_exclude_the_true_one() -> None:
    bounds = seen()
    assert bounds.check(status(5, NOW + 1), NOW + 1) is not None
    assert bounds.check(status(17, NOW + 62), NOW + 62) is None
    bounds.accept(17, NOW + 62, NOW + 62)
    assert bounds.check(status(HEIGHT + 13, NOW + 65), NOW + 65) is None


@pytest.mark.parametrize("height", [ABSURD, HEIGHT + 5000])
def test_a_false_height_from_memory_is_dropped_at_once(height: int) -> None:
    remembered = seen_height(Memory(height=height, height_time=int(NOW) - 600))
    bounds = HeightBounds(remembered)
    assert bounds.floor == height
    assert bounds.check(status(HEIGHT, NOW - 3), NOW) is None
    assert bounds.floor == 0


def test_a_height_without_time_in_memory_excludes_nothing() -> None:
    bounds = HeightBounds(seen_height(Memory(height=ABSURD)))
    assert bounds.check(status(HEIGHT, NOW), NOW) is None
    assert seen_height(Memory()) is None


def test_a_true_height_from_memory_rejects_a_lagging_node() -> None:
    bounds = HeightBounds(SeenHeight(HEIGHT, NOW - 60, NOW - 60))
    assert "behind height" in str(bounds.check(status(HEIGHT - 100, NOW - 90), NOW))


SOON_SECONDS = 10


def test_only_a_new_height_wakes_the_loop(world: ChainWorld) -> None:
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


def test_an_unreachable_node_does_not_end_the_watch() -> None:
    woken = threading.Event()
    watch = HeightWatch(Rpc("http://127.0.0.1:9"), woken.set, 0.01)
    watch.start()
    assert not woken.wait(0.1)
    watch.close()
    assert not [each for each in threading.enumerate() if each.name == "heights"]


@pytest.mark.parametrize("error", [RuntimeError, ValueError, MemoryError])
def test_an_unexpected_response_does_not_end_the_watch(error: type[Exception]) -> None:
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
