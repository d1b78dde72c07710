"""SIMULATOR: a whole market in one process: chain, blocks, cluster; kept on disk for the next start."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from reconciler.devnet.accounts import genesis
from reconciler.devnet.blockfile import BlockFile
from reconciler.devnet.bootstrap import bootstrap
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.serving import ServedChain, serve
from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.devnet.home import BlockPace, Home, ReservedPorts

SAVE_SECONDS = 1.0
STOP_SECONDS = 0.1
"""How often it looks whether it shall stop."""

CLOSE_SECONDS = 10.0
"""How long an end waits for each of its threads."""


class DevnetMarket:
    """Starts with `open`, ends with `close`; between them blocks are made by the clock, or by `step`."""

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
        self._plays_cluster = False
        self._asked_to_stop = False
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def open(self, *, by_the_clock: bool = True) -> None:
        """Go on from what is on disk, serve it, and say where in `devnet.json`."""
        self._blocks.play(self.chain)
        self.step()
        self._reserved.release("grpc", "rpc", "cluster")
        self._served = serve(self.chain, self.facts.ports.grpc, self.facts.ports.rpc)
        if not self.facts.kubeconfig:
            self.cluster.load(self.home.cluster)
            self._plays_cluster = True
            self.cluster.serve(self.facts.ports.cluster)
            self.cluster.write_kubeconfig(self.home.kubeconfig)
        bootstrap(self.home, self.facts)
        if by_the_clock:
            self._start("blocks", self._make_blocks)
            self._start("keeping", self._keep_cluster)
        self.home.write_facts(self.facts)

    def step(self, time_ns: int | None = None) -> int:
        """Make one block, at the host's time where none is given; its height."""
        with self.chain.lock:  # nobody sees a block that is not on disk
            block = self.chain.step(time_ns or self.chain.now_ns())
            self._blocks.append(block)
            return block.height

    def close(self) -> None:
        """End everything and keep it."""
        self._stop.set()
        for thread in self._threads:
            thread.join(CLOSE_SECONDS)
        if self._served is not None:
            self._served.close()
        if self._plays_cluster:
            self.cluster.close()
            self.cluster.save(self.home.cluster)
        self._blocks.close()
        self._reserved.release()
        self.home.write_facts(replace(self.facts, pid=0))

    def wait(self) -> None:
        """Return once `stop` was called."""
        while not self._asked_to_stop:
            time.sleep(STOP_SECONDS)

    def stop(self) -> None:
        """Let `wait` return; may be called from a signal handler."""
        self._asked_to_stop = True  # an Event's lock might be held right where the signal comes

    def _start(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _make_blocks(self) -> None:
        while not self._stop.wait(self.facts.pace.block_seconds):
            if not self.chain.faults.stalled:
                self.step()

    def _keep_cluster(self) -> None:
        kept = -1
        while not self._stop.wait(SAVE_SECONDS):
            if self._plays_cluster and self.cluster.store.version != kept:
                kept = self.cluster.store.version
                self.cluster.save(self.home.cluster)
