"""Broadcasts whose answers are lost or say no, on the simulated chain."""

from __future__ import annotations

import pytest

from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.proto.cosmos_tx_pb2 import BroadcastTxResponse
from reconciler.values.intents import Prepared
from reconciler.values.outcomes import Done, Failed, Unknown
from tests.contracts.chain_backends import ChainWorld
from tests.contracts.chain_steps import (
    offer,
    prepared,
    seen,
)


def test_a_lost_broadcast_response_is_unknown_until_found(world: ChainWorld) -> None:
    assert world.simulated is not None
    client = world.client()
    order = world.order(world.tenants[0])
    intent = prepared(client, offer(seen(client), order)).intent
    assert intent is not None
    world.simulated.faults.lost_requests = 1
    assert isinstance(client.broadcast(intent), Unknown)
    world.simulated.faults.lost_replies = 1
    assert isinstance(client.broadcast(intent), Unknown)
    world.advance()
    assert seen(client, [intent.hash]).tx_results[intent.hash].code == 0
    assert isinstance(client.broadcast(intent), Done | Unknown)


def test_only_the_first_broadcast_can_be_refused(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    intent = prepared(client, offer(seen(client), order)).intent
    assert intent is not None
    for _ in range(22):
        world.advance()
    outcome = client.broadcast(intent)
    assert isinstance(outcome, Failed)
    assert "tx timeout height" in outcome.why
    assert isinstance(client.broadcast(intent), Unknown)
    assert isinstance(world.client().broadcast(intent), Unknown)


def test_a_prepared_transaction_can_be_sent_after_a_restart(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    made: Prepared = prepared(client, offer(seen(client), order))
    assert made.intent is not None
    later = world.client()
    assert later.broadcast(made.intent) == Done()
    world.advance()
    assert seen(later, [made.intent.hash]).tx_results[made.intent.hash].code == 0


def test_a_raised_gas_price_is_dropped_with_the_next_full_view(world: ChainWorld) -> None:
    client = world.client(full_view_seconds=3)
    order = world.order(world.tenants[0])
    intent = prepared(client, offer(seen(client), order)).intent
    assert intent is not None
    low = "insufficient fee: min gas prices 0.050000000000000000uve, got 0.025000000000000000uve"
    refused = BroadcastTxResponse(tx_response={"code": 1, "codespace": "undefined", "raw_log": low})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GrpcNode, "call", lambda *_: refused)
        assert client.broadcast(intent) == Failed("GasPrice", low)
    dearer = prepared(client, offer(seen(client), order)).intent
    assert dearer is not None
    assert dearer.fee == pytest.approx(2 * intent.fee, rel=0.01)
    for _ in range(5):
        world.advance()
    again = prepared(client, offer(seen(client), order)).intent
    assert again is not None
    assert again.fee == pytest.approx(intent.fee, rel=0.01)
