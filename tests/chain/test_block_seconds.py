"""The interval of blocks, from their headers: a halt hardly changes it, a new pace does in time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.chain.block_reader import MEASURED_BLOCKS, BlockReader
from reconciler.chain.node_errors import NodeRefusedError
from reconciler.chain.rpc import Rpc

HALT_SECONDS = 180


class Headers:
    """A node that has the headers from `first` on; blocks come every 5 s, with a halt before block 10,000."""

    def __init__(self, first: int = 1, pace: int = 5) -> None:
        self.first, self.pace, self.asked = first, pace, 0

    def time(self, height: int) -> float:
        return height * 5 + (HALT_SECONDS if height >= 10_000 else 0)

    def block(self, height: int) -> Any:
        self.asked += 1
        if height < self.first:
            raise NodeRefusedError("block", "1", "pruned")
        return SimpleNamespace(time=self.time(height))


def measured(headers: Headers, heights: range) -> list[float]:
    reader = BlockReader(cast(Rpc, headers), "ve1x")
    return [float(reader.block_seconds(height, headers.time(height))) for height in heights]


@pytest.mark.parametrize("begins", [9_000, 9_900, 10_001])
def test_a_halt_of_three_minutes_changes_it_by_a_tenth(begins: int) -> None:
    headers = Headers()
    found = measured(headers, range(begins, 11_000))
    assert max(found) <= 5.6
    assert found[-1] == 5
    assert headers.asked == 1


def test_a_pruned_node_gives_a_shorter_measure_at_first() -> None:
    headers = Headers(first=8_980)
    assert measured(headers, range(9_010, 9_011)) == [5]
    assert headers.asked == 2


def test_a_single_block_is_not_measured() -> None:
    assert measured(Headers(), range(1, 2)) == [5]


def test_the_window_moves_on() -> None:
    """After a window at another pace, the old one has no weight."""
    reader, headers = BlockReader(cast(Rpc, Headers()), "ve1x"), Headers()
    for height in range(1, 100):
        reader.block_seconds(height, headers.time(height))
    last = [reader.block_seconds(99 + n, headers.time(99) + n) for n in range(1, 2 * MEASURED_BLOCKS)]
    assert last[-1] == 1
