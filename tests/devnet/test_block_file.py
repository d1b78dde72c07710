"""Blocks on disk, and the chain that is made from them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.devnet.accounts import genesis
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.errors import DevnetError
from reconciler.devnet.market import BlockFile

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND


def recorded(path: Path, blocks: int) -> SimulatedChain:
    chain, file = SimulatedChain(genesis()), BlockFile(path)
    for number in range(blocks):
        file.append(chain.step(NOW + number * SECOND))
    file.close()
    return chain


def replayed(path: Path) -> SimulatedChain:
    chain, file = SimulatedChain(genesis()), BlockFile(path)
    file.replay(chain)
    file.close()
    return chain


def test_blocks_are_replayed_at_their_times(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "blocks.jsonl"
    before, after = recorded(path, 5), replayed(path)
    assert (after.height, after.time_ns) == (before.height, before.time_ns) == (5, NOW + 4 * SECOND)


def test_a_truncated_last_line_is_dropped_and_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "blocks.jsonl"
    recorded(path, 3)
    path.write_bytes(path.read_bytes()[:-7])
    chain, file = SimulatedChain(genesis()), BlockFile(path)
    assert file.replay(chain) == 2
    file.append(chain.step(NOW + 9 * SECOND))
    file.close()
    assert replayed(path).height == 3


def test_blocks_of_another_chain_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "blocks.jsonl"
    path.write_text('{"time_ns": 1, "txs": ["00ff"]}\n')
    with pytest.raises(DevnetError, match="start a new devnet in another --home"):
        replayed(path)
