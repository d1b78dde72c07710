from pathlib import Path

import pytest

from reconciler.devnet.accounts import genesis
from reconciler.devnet.blockfile import BlockFile
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.faults import DevnetError

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND


def recorded(path: Path, blocks: int) -> SimulatedChain:
    chain, file = SimulatedChain(genesis()), BlockFile(path)
    for number in range(blocks):
        file.append(chain.step(NOW + number * SECOND))
    file.close()
    return chain


def played(path: Path) -> SimulatedChain:
    chain, file = SimulatedChain(genesis()), BlockFile(path)
    file.play(chain)
    file.close()
    return chain


def test_blocks_come_back_at_their_times(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "blocks.jsonl"
    before, after = recorded(path, 5), played(path)
    assert (after.height, after.time_ns) == (before.height, before.time_ns) == (5, NOW + 4 * SECOND)


def test_a_last_line_cut_short_is_dropped_and_written_over(tmp_path: Path) -> None:
    path = tmp_path / "blocks.jsonl"
    recorded(path, 3)
    path.write_bytes(path.read_bytes()[:-7])
    chain, file = SimulatedChain(genesis()), BlockFile(path)
    assert file.play(chain) == 2
    file.append(chain.step(NOW + 9 * SECOND))
    file.close()
    assert played(path).height == 3


def test_blocks_of_another_chain_are_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "blocks.jsonl"
    path.write_text('{"time_ns": 1, "txs": ["00ff"]}\n')
    with pytest.raises(DevnetError, match="begin a new world in another --home"):
        played(path)
