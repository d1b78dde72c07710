"""SIMULATOR: a market in one process, chain and cluster, kept on disk for the next start."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.devnet.accounts import genesis
from reconciler.devnet.bootstrap import bootstrap
from reconciler.devnet.chain.blocks import StoredBlock
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.serving import ServedChain, serve
from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.devnet.errors import DevnetError
from reconciler.devnet.home import BlockPace, Home, ReservedPorts

SAVE_SECONDS = 1.0
STOP_POLL_SECONDS = 0.1
JOIN_SECONDS = 10.0


class BlockFile:
    """The chain on disk: each block's time and transactions as a line, from which the blocks are recreated.

    Blocks survive a killed process; a last line that was cut short is dropped.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        complete = path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0
        self._file = path.open("ab", buffering=0)
        self._file.truncate(complete)

    def append(self, block: StoredBlock) -> None:
        """Write one block."""
        line = json.dumps({"time_ns": block.time_ns, "txs": [tx.data.hex() for tx in block.txs]})
        self._file.write(line.encode() + b"\n")

    def close(self) -> None:
        """Flush and close the file."""
        os.fsync(self._file.fileno())
        self._file.close()

    def replay(self, chain: SimulatedChain) -> int:
        """Make every block on a new chain, with the same bytes and times; their number."""
        count = 0
        with self._path.open("rb") as lines:
            for line in lines:
                self._make(chain, json.loads(line))
                count += 1
        return count

    def _make(self, chain: SimulatedChain, stored: dict[str, Any]) -> None:
        hashes = []
        for text in stored["txs"]:
            checked = chain.check_tx(bytes.fromhex(text))
            if checked.code:
                raise DevnetError(
                    f"{self._path} is of another version of the simulated chain: block {chain.height + 1} "
                    f"cannot be recreated ({checked.log}); start a new devnet in another --home"
                )
            hashes.append(checked.hash)
        chain.step(stored["time_ns"], include=hashes)


class DevnetMarket:
    """Serves from `open` to `close`; blocks are made by the clock, or by `step`."""

    def __init__(self, home: Home, pace: BlockPace | None = None, kubeconfig: Path | None = None) -> None:
        before = home.facts()
        self.home = home
        self._reserved = ReservedPorts(before.ports)
        self.facts = replace(
            before,
            ports=self._reserved.ports,
            pace=pace or before.pace,
            kubeconfig=str(kubeconfig.absolute()) if kubeconfig else before.kubeconfig,
            pid=os.getpid(),
        )
        self.chain = SimulatedChain(genesis(), self.facts.pace.block_seconds)
        self.cluster = SimulatedCluster()
        self._blocks = BlockFile(home.blocks)
        self._served: ServedChain | None = None
        self._serves_cluster = False
        self._is_stopping = False
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def open(self, *, by_the_clock: bool = True) -> None:
        """Restore the stored state, serve it, and write the addresses to `devnet.json`."""
        self._blocks.replay(self.chain)
        self.step()
        self._reserved.release("grpc", "rpc", "cluster")
        self._served = serve(self.chain, self.facts.ports.grpc, self.facts.ports.rpc)
        if not self.facts.kubeconfig:
            self.cluster.load(self.home.cluster)
            self._serves_cluster = True
            self.cluster.serve(self.facts.ports.cluster)
            self.cluster.write_kubeconfig(self.home.kubeconfig)
        bootstrap(self.home, self.facts)
        if by_the_clock:
            self._start("blocks", self._make_blocks)
            self._start("cluster", self._save_cluster)
        self.home.write_facts(self.facts)

    def step(self, time_ns: int | None = None) -> int:
        """Make one block, at the host's time by default; its height."""
        with self.chain.lock:  # no query sees a block that is not on disk
            block = self.chain.step(time_ns or self.chain.now_ns())
            self._blocks.append(block)
            return block.height

    def close(self) -> None:
        """Stop serving, and store the state."""
        self._stop.set()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
        if self._served is not None:
            self._served.close()
        if self._serves_cluster:
            self.cluster.close()
            self.cluster.save(self.home.cluster)
        self._blocks.close()
        self._reserved.release()
        self.home.write_facts(replace(self.facts, pid=0))

    def wait(self) -> None:
        """Return after `stop` was called."""
        while not self._is_stopping:
            time.sleep(STOP_POLL_SECONDS)

    def stop(self) -> None:
        """End `wait`; may be called from a signal handler."""
        self._is_stopping = True  # an Event's lock might be held where the signal arrives

    def _start(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _make_blocks(self) -> None:
        while not self._stop.wait(self.facts.pace.block_seconds):
            if not self.chain.faults.stalled:
                self.step()

    def _save_cluster(self) -> None:
        saved = -1
        while not self._stop.wait(SAVE_SECONDS):
            if self._serves_cluster and self.cluster.store.version != saved:
                saved = self.cluster.store.version
                self.cluster.save(self.home.cluster)
