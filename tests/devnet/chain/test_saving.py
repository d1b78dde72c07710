from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.devnet.chain.errors import TxRefusedError
from reconciler.devnet.chain.mempool import SeenBeforeError
from reconciler.devnet.chain.saving import SavedChainError, load, save
from reconciler.devnet.chain.store import TABLES
from tests.devnet.chain.players import RICH_UVE, World, pay, withdraw


def rows(world: World) -> dict[str, list[tuple[bytes, bytes]]]:
    view = world.chain.view()
    return {n: [(k, table.encode(v)) for k, v in view.scan(table)] for n, table in TABLES.items()}


def reopened(world: World, path: Path) -> World:
    save(world.chain, path)
    again = World.__new__(World)
    again.chain = load(path)
    return again


def test_a_saved_chain_continues_after_loading(tmp_path: Path) -> None:
    world = World()
    world.lease("alice", "one", 7)
    waiting = world.send("bob", pay("bob", "alice", 5))
    again = reopened(world, tmp_path / "chain")

    assert rows(again) == rows(world)
    assert (again.chain.height, again.chain.time_ns) == (world.chain.height, world.chain.time_ns)
    assert list(again.chain.ledger) == list(world.chain.ledger)
    blocks = [one.chain.step() for one in (world, again)]
    assert blocks[0] == blocks[1]
    assert blocks[1].txs[0].hash == waiting.hash
    done = [one.do("one", withdraw("alice", "one", 7)) for one in (world, again)]
    assert done[0] == done[1]
    assert rows(again) == rows(world)


def test_seen_transactions_are_refused_after_loading(tmp_path: Path) -> None:
    world = World()
    data = world.bytes("alice", pay("alice", "bob", 5))
    world.chain.check_tx(data)
    world.chain.step()
    again = reopened(world, tmp_path / "chain")

    with pytest.raises(SeenBeforeError):
        again.chain.check_tx(data)


def test_heights_before_a_load_cannot_be_queried(tmp_path: Path) -> None:
    world = World()
    world.do("alice", pay("alice", "bob", 5))
    again = reopened(world, tmp_path / "chain")
    height = again.chain.height
    again.do("alice", pay("alice", "bob", 5))

    path = "/virtengine.market.v1beta5.Query/Params"
    assert again.chain.query(path, b"", height) == again.chain.query(path, b"")
    with pytest.raises(TxRefusedError, match="version does not exist"):
        again.chain.query(path, b"", height - 1)
    assert again.balance("bob") == RICH_UVE + 10


@pytest.mark.parametrize("content", [b"", b"no chain", b"\x80"])
def test_a_file_of_another_version_is_refused_with_advice(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "chain"
    path.write_bytes(content)

    with pytest.raises(SavedChainError, match="delete it and start"):
        load(path)


def test_saving_leaves_one_file(tmp_path: Path) -> None:
    world = World()
    save(world.chain, tmp_path / "kept" / "chain")
    save(world.chain, tmp_path / "kept" / "chain")

    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["chain"]
