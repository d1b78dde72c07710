"""A simulated chain on real sockets: its gRPC port, and both ports together."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NoReturn

import grpc

from reconciler.chain.stubs import SERVED, methods_of
from reconciler.devnet.chain.errors import QueryError, TxRefusedError
from reconciler.devnet.chain.faults import ConnectionLostError
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.devnet.chain.rpc_server import RpcServer

_HEIGHT = "x-cosmos-block-height"
_OPTIONS = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", 10 * 2**20))


_GRACE_SECONDS = 1.0
"""Without it, clients with a call under way log its cancellation on standard error."""

_CLOSE_SECONDS = 10.0


class GrpcServer:
    """Serves every query by its descriptor, but no Msg service (semantics 0)."""

    def __init__(self, chain: SimulatedChain, port: int) -> None:
        self._chain = chain
        self._server = grpc.server(ThreadPoolExecutor(max_workers=8), options=_OPTIONS)
        self._server.add_generic_rpc_handlers(
            tuple(
                grpc.method_handlers_generic_handler(
                    name,
                    {
                        method.path.rpartition("/")[2]: grpc.unary_unary_rpc_method_handler(
                            self._answer(method.path)
                        )
                        for method in methods_of(service)
                    },
                )
                for name, service in SERVED.items()
            )
        )
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self._server.start()

    def close(self) -> None:
        """Stop serving, with a short grace for calls under way."""
        self._server.stop(_GRACE_SECONDS).wait(_CLOSE_SECONDS)

    def _answer(self, path: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        def answer(request: bytes, call: grpc.ServicerContext) -> bytes:
            metadata = dict(call.invocation_metadata())
            try:
                height = int(metadata.get(_HEIGHT) or 0)
                answered = self._chain.query(path, request, height)
            except TxRefusedError as refusal:
                _abort(call, *grpc_answer(refusal))
            except QueryError as refused:
                _abort(call, refused.status, refused.text)
            except ConnectionLostError:
                _abort(call, grpc.StatusCode.UNAVAILABLE, "connection reset by peer")
            call.send_initial_metadata(((_HEIGHT, str(height or self._chain.reading.height)),))
            return answered

        return answer


def grpc_answer(refusal: TxRefusedError) -> tuple[grpc.StatusCode, str]:
    """A refusal's gRPC status and text; registered errors name their code."""
    if refusal.codespace == "undefined":
        return refusal.status, refusal.text
    words = f"codespace {refusal.codespace} code {refusal.code}: {refusal.text}"
    return refusal.status, words


def _abort(call: grpc.ServicerContext, status: grpc.StatusCode, text: str) -> NoReturn:
    call.abort(status, text)
    raise AssertionError("abort raises")


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
    """Serve a chain on loopback; port 0 is any free one."""
    return ServedChain(chain, GrpcServer(chain, grpc_port), RpcServer(chain, rpc_port))
