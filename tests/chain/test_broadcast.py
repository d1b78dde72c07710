"""Broadcasts whose answers are lost or say no, on the simulated chain."""

from __future__ import annotations

import pytest

from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.proto.cosmos_tx_pb2 import BroadcastTxResponse
from reconciler.values.intents import Prepared
from reconciler.values.outcomes import Done, Refused, Unknown
from tests.contracts.chain_backends import ChainWorld
from tests.contracts.chain_steps import (
    offer,
    prepared,
    seen,
)


def test_an_answer_that_is_lost_is_unknown_and_then_found(world: ChainWorld) -> None:
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
    assert seen(client, [intent.hash]).landed[intent.hash].code == 0
    assert isinstance(client.broadcast(intent), Done | Unknown)


def test_only_the_first_try_may_be_called_refused(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    intent = prepared(client, offer(seen(client), order)).intent
    assert intent is not None
    for _ in range(22):
        world.advance()
    outcome = client.broadcast(intent)
    assert isinstance(outcome, Refused)
    assert "tx timeout height" in outcome.why
    assert isinstance(client.broadcast(intent), Unknown)
    assert isinstance(world.client().broadcast(intent), Unknown)


def test_what_is_prepared_can_be_sent_by_a_later_life(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    made: Prepared = prepared(client, offer(seen(client), order))
    assert made.intent is not None
    later = world.client()
    assert later.broadcast(made.intent) == Done()
    world.advance()
    assert seen(later, [made.intent.hash]).landed[made.intent.hash].code == 0


def test_a_price_that_the_node_asked_once_is_not_paid_for_ever(world: ChainWorld) -> None:
    client = world.client(full_view_seconds=3)
    order = world.order(world.tenants[0])
    intent = prepared(client, offer(seen(client), order)).intent
    assert intent is not None
    low = "insufficient fee: min gas prices 0.050000000000000000uve, got 0.025000000000000000uve"
    refused = BroadcastTxResponse(tx_response={"code": 1, "codespace": "undefined", "raw_log": low})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GrpcNode, "call", lambda *_: refused)
        assert client.broadcast(intent) == Refused("ChainRefused", low)
    dearer = prepared(client, offer(seen(client), order)).intent
    assert dearer is not None
    assert dearer.fee == pytest.approx(2 * intent.fee, rel=0.01)
    for _ in range(5):
        world.advance()
    again = prepared(client, offer(seen(client), order)).intent
    assert again is not None
    assert again.fee == pytest.approx(intent.fee, rel=0.01)
