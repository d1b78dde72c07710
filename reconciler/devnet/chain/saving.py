"""A simulated chain in one file: the newest state, the blocks, the mempool.

States of the past are not kept: after a load the oldest height that can be queried is the saved one.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from google.protobuf.message import Message

from reconciler.devnet.chain.blocks import StoredBlock
from reconciler.devnet.chain.genesis import Genesis
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.store import TABLES

VERSION = 1


class SavedChainError(ValueError):
    """The file is no saved chain of this version."""


@dataclass(frozen=True, slots=True)
class _Saved:
    version: int
    genesis: Genesis
    block_seconds: float
    history: int
    height: int
    blocks: tuple[StoredBlock, ...]
    tables: dict[str, list[tuple[bytes, bytes]]]
    waiting: tuple[bytes, ...]
    seen: tuple[str, ...]


def save(chain: SimulatedChain, path: Path) -> None:
    """Write a chain to a file atomically."""
    with chain.lock:
        view = chain.store.at(chain.height)
        saved = _Saved(
            version=VERSION,
            genesis=chain.genesis,
            block_seconds=chain.block_seconds,
            history=chain.store.history,
            height=chain.height,
            blocks=tuple(chain.ledger),
            tables={
                name: [(key, table.encode(value)) for key, value in view.scan(table)]
                for name, table in TABLES.items()
            },
            waiting=tuple(tx.data for tx in chain.mempool.waiting.values()),
            seen=chain.mempool.seen,
        )
        data = msgspec.msgpack.encode(saved, enc_hook=_encoded)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


def load(path: Path) -> SimulatedChain:
    """Load a saved chain; SavedChainError if the file is no saved chain of this version."""
    try:
        saved = msgspec.msgpack.decode(path.read_bytes(), type=_Saved, dec_hook=_decoded)
    except msgspec.MsgspecError as error:
        raise SavedChainError(
            f"{path} is not a saved chain ({error}); delete it and start the chain anew"
        ) from error
    if saved.version != VERSION:
        raise SavedChainError(
            f"{path} was saved by another version ({saved.version}, not {VERSION}); delete it and start anew"
        )
    chain = SimulatedChain(saved.genesis, saved.block_seconds, saved.history)
    chain.store.restore(
        saved.height,
        {
            name: {key: TABLES[name].decode(value) for key, value in rows}
            for name, rows in saved.tables.items()
        },
    )
    chain.ledger.restore(saved.blocks)
    chain.restored(saved.waiting, saved.seen)
    return chain


def _encoded(value: Any) -> bytes:
    if isinstance(value, Message):
        return value.SerializeToString(deterministic=True)
    raise NotImplementedError(f"{type(value).__name__} cannot be saved")


def _decoded(kind: type[Any], value: Any) -> Any:
    if issubclass(kind, Message):
        return kind.FromString(value)
    raise NotImplementedError(f"{kind.__name__} cannot be loaded")
