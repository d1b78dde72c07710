"""A node whose questions are counted, and may be made to fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.rpc import Rpc


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """How often each method was asked meanwhile, over gRPC and RPC."""
    counts: Counter[str] = Counter()
    ask, call = GrpcNode.call, Rpc.call

    def counting_ask(self: GrpcNode, method: Any, request: Any, height: int = 0) -> Any:
        counts[method.path] += 1
        return ask(self, method, request, height)

    def counting_call(self: Rpc, method: str, *rest: Any, **bounds: Any) -> Any:
        counts[method] += 1
        return call(self, method, *rest, **bounds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GrpcNode, "call", counting_ask)
        patch.setattr(Rpc, "call", counting_call)
        yield counts


@contextmanager
def failing(method: str, error: Exception) -> Iterator[None]:
    """One method, over gRPC or RPC, that fails meanwhile."""
    ask, call = GrpcNode.call, Rpc.call

    def failing_ask(self: GrpcNode, asked: Any, request: Any, height: int = 0) -> Any:
        if asked.path == method:
            raise error
        return ask(self, asked, request, height)

    def failing_call(self: Rpc, asked: str, *rest: Any, **bounds: Any) -> Any:
        if asked == method:
            raise error
        return call(self, asked, *rest, **bounds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GrpcNode, "call", failing_ask)
        patch.setattr(Rpc, "call", failing_call)
        yield
