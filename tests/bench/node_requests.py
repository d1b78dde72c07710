"""Requests of an idle provider to its node: the real client against the simulated chain, with many leases."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from reconciler.chain.client import ChainClient, ClientOptions
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.rpc import Rpc
from reconciler.devnet.chain.serving import serve
from reconciler.values.readings import Seen
from tests.bench.figures import cpu_ms, show
from tests.chain.counting import counted
from tests.devnet.chain.players import CHAIN_ID, Sending, World, accept, bid, key, order

BATCH = 100
GAS = 60_000_000
POLLS = ("status",)
"""The poll of the height, which is not counted."""


def leased(count: int) -> World:
    """A chain with so many leases of one provider."""
    world = World()
    numbers = range(1, count + 1)
    for who, messages in (
        ("alice", [order("alice", n) for n in numbers]),
        ("one", [bid("alice", "one", n) for n in numbers]),
        ("alice", [accept("alice", "one", n) for n in numbers]),
    ):
        for start in range(0, count, BATCH):
            _do(world, who, messages[start : start + BATCH])
    return world


def _do(world: World, who: str, messages: Sequence[Message]) -> None:
    outcome = world.do(who, *messages, how=Sending(gas=GAS, fee=GAS // 40)).outcome
    assert not outcome.code, outcome.log


def bench_node_requests(leases: int, blocks: int = 20) -> None:
    """Requests a block without changes, besides the poll of the height, and the client's CPU time a block."""
    world = leased(leases)
    served = serve(world.chain)
    seconds = lambda: world.chain.time_ns / 1e9  # noqa: E731  # a clock that follows the chain
    options = ClientOptions(CHAIN_ID, clock=seconds)
    client = ChainClient(GrpcNode(served.grpc_target), Rpc(served.rpc_url), key("one"), options)
    try:
        first = client.observe((), ())
        assert isinstance(first, Seen), first
        assert len(first.view.leases) == leases
        with counted() as counts:

            def query() -> None:
                world.chain.step()
                assert isinstance(client.observe((), ()), Seen)

            cost = cpu_ms(query, blocks)
        asked = sum(number for method, number in counts.items() if method not in POLLS)
        show(
            f"requests a block, quiet, {leases} leases",
            f"{asked / blocks:.1f}",
            "besides the poll of the height",
        )
        show("  client and simulated node together, a block", f"{cost:.1f} ms")
    finally:
        client.close()
        served.close()
