"""A simulated chain on real sockets, and blocks by the clock."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from reconciler.devnet.chain.grpc_server import GrpcServer
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.rpc_server import RpcServer


@dataclass(slots=True)
class ServedChain:
    """Both ports of a node."""

    chain: SimulatedChain
    grpc: GrpcServer
    rpc: RpcServer

    @property
    def grpc_target(self) -> str:
        """`127.0.0.1:port` for gRPC."""
        return f"127.0.0.1:{self.grpc.port}"

    @property
    def rpc_url(self) -> str:
        """`http://127.0.0.1:port` for CometBFT's RPC."""
        return f"http://127.0.0.1:{self.rpc.port}"

    def close(self) -> None:
        """Close both ports."""
        self.rpc.close()
        self.grpc.close()


def serve(chain: SimulatedChain, grpc_port: int = 0, rpc_port: int = 0) -> ServedChain:
    """Serve a chain on loopback; port 0 takes a free one."""
    return ServedChain(chain, GrpcServer(chain, grpc_port), RpcServer(chain, rpc_port))


class BlockTimer:
    """Makes a block every so many seconds until it is closed; none while the chain is stalled."""

    def __init__(self, chain: SimulatedChain, seconds: float) -> None:
        self._chain = chain
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="blocks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Make no more blocks."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            if not self._chain.faults.stalled:
                self._chain.step(self._chain.now_ns())
