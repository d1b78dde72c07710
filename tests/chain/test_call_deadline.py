"""A node that accepts calls and never answers delays a cycle by a bounded time, whatever the calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from reconciler.chain import client as module
from reconciler.chain.call_deadline import CallDeadline
from reconciler.chain.client import ChainClient, ClientOptions
from reconciler.chain.full_view import read_market
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.rpc import Rpc
from reconciler.values.desired import CloseReason
from reconciler.values.intents import Prepared
from reconciler.values.messages import CloseBid
from reconciler.values.outcomes import Failed, Unknown
from reconciler.values.readings import Seen, Unseen
from tests import makers
from tests.contracts.chain_backends import ChainWorld, fee_terms
from tests.cycle.worlds import intent
from tests.silent_proxy import SilentProxy

SPARE_SECONDS = 1.0
"""For a busy machine."""


@contextmanager
def proxied(world: ChainWorld) -> Iterator[tuple[ChainClient, SilentProxy, SilentProxy]]:
    """A client of the daemon's behind proxies of the gRPC and the RPC address."""
    host, _, port = world.node.target.rpartition(":")
    rpc = urlsplit(world.rpc.url)
    with SilentProxy(host, int(port)) as grpc, SilentProxy(rpc.hostname or "", rpc.port or 0) as http:
        deadline = CallDeadline()
        client = ChainClient(
            GrpcNode(f"127.0.0.1:{grpc.port}", deadline=deadline),
            Rpc(f"http://127.0.0.1:{http.port}", deadline=deadline),
            world.provider,
            ClientOptions(world.chain_id, clock=world._clock, deadline=deadline),
        )
        yield client, grpc, http
        client.close()


def seconds_of(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("OBSERVE", 0.5), ("FIRST_VIEW", 10.0), ("SEND", 0.5), ("BROADCAST", 0.5)):
        monkeypatch.setattr(module, f"{name}_SECONDS", seconds)


def test_a_cycle_s_calls_are_bounded_together(world: ChainWorld) -> None:
    with proxied(world) as (client, grpc, http):
        assert isinstance(client.observe((), ()), Seen)
        grpc.hang()
        message = CloseBid(makers.lease_id(), CloseReason.UNSPECIFIED)

        assert seconds_of(lambda: client.prepare([message], fee_terms(1))) < 0.5 + SPARE_SECONDS
        failed = client.prepare([message], fee_terms(1))
        assert not isinstance(failed, Prepared)
        assert isinstance(failed, Failed)
        began = time.monotonic()
        assert isinstance(client.broadcast(intent()), Unknown)
        assert time.monotonic() - began < 0.5 + SPARE_SECONDS

        http.hang()
        world.advance()
        began = time.monotonic()
        assert isinstance(client.observe((), ()), Unseen)
        assert time.monotonic() - began < 0.5 + SPARE_SECONDS

        grpc.resume()
        http.resume()
        assert isinstance(client.observe((), ()), Seen)


def test_a_full_view_that_takes_too_long_is_postponed(
    world: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last view is kept current meanwhile, so that bids go on; the next attempt has twice the time."""
    reads: list[float] = []

    def slow(*args: object) -> object:
        reads.append(options.deadline.bound(100))
        if len(reads) == 2:
            time.sleep(0.6)
        return read_market(*args)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(module, "read_market", slow)
    options = ClientOptions(world.chain_id, clock=world._clock, full_view_seconds=1, deadline=CallDeadline())
    node = GrpcNode(world.node.target, deadline=options.deadline)
    client = ChainClient(node, world.rpc, world.provider, options)
    try:
        assert isinstance(client.observe((), ()), Seen)
        for _ in range(3):
            world.advance()
        assert isinstance(client.observe((), ()), Unseen), "the deadline has passed in the second full view"
        assert isinstance(client.observe((), ()), Seen)
        assert len(reads) == 2
        for _ in range(module.FULL_VIEW_RETRY_SECONDS + 1):
            world.advance()
        assert isinstance(client.observe((), ()), Seen)
        assert reads[1] < 0.6 < reads[2]
    finally:
        client.close()
