"""What is simulated, dropped, priced and signed, on the simulated chain."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from reconciler.chain.client import ChainClient, ClientOptions
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.tx_builder import FeePolicy
from reconciler.devnet.chain.genesis import Gates
from reconciler.values.messages import CreateBid, WithdrawLease
from reconciler.values.outcomes import Done
from tests.chain.counting import counted
from tests.contracts.chain_backends import FEE_MAX, ChainWorld, simulated
from tests.contracts.chain_steps import (
    failed,
    lease_of,
    offer,
    prepared,
    seen,
)


def test_a_changed_sequence_prevents_signing(world: ChainWorld) -> None:
    assert world.simulated is not None
    client = world.client()
    order = world.order(world.tenants[0])
    view = seen(client)
    world.simulated.faults.racing.append(world.provider.address)
    world.advance()
    outcome = failed(client.prepare([offer(view, order)], FEE_MAX))
    assert outcome.reason == "Sequence"
    seen(client)
    assert prepared(client, offer(view, order)).intent is not None


def test_a_gate_drops_the_withdrawal_with_the_chain_s_text() -> None:
    with simulated(Gates(identity=False, second_factor=frozenset({"medium_withdrawal"}))) as world:
        client = world.client()
        first, second = lease_of(world, client), lease_of(world, client)
        seen(client)
        with counted() as counts:
            made = prepared(client, WithdrawLease(first.id), WithdrawLease(second.id))
        assert made.intent is None
        assert len(made.dropped) == 2
        assert made.dropped[0][1].why.startswith("MFA required for medium_withdrawal")
        assert counts["/cosmos.tx.v1beta1.Service/Simulate"] == 1


def twice(message: CreateBid) -> CreateBid:
    """A bid that makes the chain panic, without a word of which message it was."""
    return replace(message, units=message.units * 2)


def test_a_panicking_message_is_found_by_bisecting(world: ChainWorld) -> None:
    client = world.client()
    orders = [world.order(world.tenants[0]) for _ in range(5)]
    view = seen(client)
    good = [offer(view, order) for order in orders]
    messages = [*good[:3], twice(good[3]), good[4]]
    made = prepared(client, *messages)
    assert made.intent is not None
    assert made.intent.messages == (*good[:3], good[4])
    ((dropped, outcome),) = made.dropped
    assert dropped == messages[3]
    assert outcome.why.startswith("recovered: ")
    assert "\n" not in outcome.why


def test_many_bids_are_one_transaction(world: ChainWorld) -> None:
    client = world.client()
    orders = [world.order(world.tenants[0]) for _ in range(15)]
    view = seen(client)
    with counted() as counts:
        made = prepared(client, *[offer(view, order) for order in orders])
    assert counts["/cosmos.tx.v1beta1.Service/Simulate"] == 1
    assert made.intent is not None
    assert client.broadcast(made.intent) == Done()
    world.advance()
    view = seen(client, [made.intent.hash])
    assert view.tx_results[made.intent.hash].code == 0
    assert len(view.bids) == 15


def test_a_fee_above_its_limit_is_not_paid(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    outcome = failed(client.prepare([offer(seen(client), order)], 100))
    assert outcome.reason == "FeeTooHigh"
    assert "more than the 100uve" in outcome.why


def test_a_gas_price_above_the_host_limit_is_not_paid(world: ChainWorld) -> None:
    expected = ClientOptions(world.chain_id, stale_seconds=None)
    policy = FeePolicy(gas_price_max=Decimal("0.01"))
    client = ChainClient(GrpcNode(world.node.target), world.rpc, world.provider, expected, policy)
    order = world.order(world.tenants[0])
    assert failed(client.prepare([offer(seen(client), order)], FEE_MAX)).reason == "GasPrice"
    client.close()


def test_an_account_without_balance_is_reported(world: ChainWorld) -> None:
    stranger = type(world.provider)(b"\x07" * 32)
    expected = ClientOptions(world.chain_id, stale_seconds=None)
    client = ChainClient(GrpcNode(world.node.target), world.rpc, stranger, expected, FeePolicy())
    order = world.order(world.tenants[0])
    view = seen(client)
    assert (view.wallet.balance, view.wallet.sequence, view.provider) == (0, 0, None)
    assert failed(client.prepare([offer(view, order)], FEE_MAX)).reason == "NoBalance"
    client.close()
