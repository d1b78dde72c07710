"""SIMULATOR: the chain on disk: each block's time and transactions, a line each, to be played again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from reconciler.devnet.chain.blocks import StoredBlock
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.faults import DevnetError


class BlockFile:
    """Appends blocks; what was written survives a killed process, a last line cut short is dropped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = self._whole_bytes()
        self._file = path.open("ab", buffering=0)
        self._file.truncate(whole)

    def append(self, block: StoredBlock) -> None:
        """Write one block."""
        line = json.dumps({"time_ns": block.time_ns, "txs": [tx.data.hex() for tx in block.txs]})
        self._file.write(line.encode() + b"\n")

    def close(self) -> None:
        """Nothing more is written."""
        os.fsync(self._file.fileno())
        self._file.close()

    def play(self, chain: SimulatedChain) -> int:
        """Make every block again on a new chain, of the same bytes at the same times; how many there were."""
        count = 0
        with self._path.open("rb") as lines:
            for line in lines:
                _make(chain, json.loads(line), self._path)
                count += 1
        return count

    def _whole_bytes(self) -> int:
        if not self._path.exists():
            return 0
        content = self._path.read_bytes()
        return content.rfind(b"\n") + 1


def _make(chain: SimulatedChain, told: dict[str, Any], path: Path) -> None:
    names = []
    for text in told["txs"]:
        checked = chain.check_tx(bytes.fromhex(text))
        if checked.code:
            raise DevnetError(
                f"{path} is of another version of the simulated chain: block {chain.height + 1} does not "
                f"play again ({checked.log}); begin a new world in another --home"
            )
        names.append(checked.hash)
    chain.step(told["time_ns"], include=names)
