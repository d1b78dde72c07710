"""What is simulated, dropped, priced and signed, on the simulated chain."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from decimal import Decimal

from reconciler.chain.client import ChainClient, ClientOptions
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.transactions import decode_tx
from reconciler.chain.tx_builder import FeePolicy
from reconciler.devnet.chain.genesis import Gates
from reconciler.values.desired import CloseReason
from reconciler.values.intents import FeeTerms, Prepared
from reconciler.values.messages import CloseBid, CreateBid, WithdrawLease
from reconciler.values.outcomes import Done, Failed, Unknown
from tests.chain.counting import counted
from tests.contracts.chain_backends import ChainWorld, fee_terms, simulated
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
    outcome = failed(client.prepare([offer(view, order)], fee_terms(1)))
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


def test_a_message_that_costs_more_than_it_brings_is_left_out_with_the_sum(world: ChainWorld) -> None:
    client = world.client()
    orders = [world.order(world.tenants[0]) for _ in range(4)]
    view = seen(client)
    bids = [offer(view, order) for order in orders]
    made = client.prepare(bids, FeeTerms(0, (20_000, 20, 20_000, 20), Decimal("1.05")))
    assert isinstance(made, Prepared)
    assert made.intent is not None
    assert sum((20_000, 20, 20_000)) > made.intent.fee
    made = client.prepare(bids, FeeTerms(0, (3_400, 20, 3_400, 20), Decimal("1.05")))
    assert isinstance(made, Prepared)
    assert made.intent is not None
    assert made.intent.messages == (bids[0], bids[2])
    assert [message for message, _ in made.dropped] == [bids[1], bids[3]]
    assert re.fullmatch(
        r"its fee for \d+ gas is \d+uve, more than the 20uve that it brings", made.dropped[0][1].why
    )


def test_no_message_pays_the_fee_of_another(world: ChainWorld) -> None:
    """The closing may use the reserve; the bid may not."""
    client = world.client()
    lease, order = lease_of(world, client), world.order(world.tenants[0])
    bid = offer(seen(client), order)
    closing = CloseBid(lease.id, CloseReason.UNSPECIFIED, lease=True)
    made = client.prepare([bid, closing], FeeTerms(0, (10, 10_000_000), Decimal("1.05")))
    assert isinstance(made, Prepared)
    assert made.intent is not None
    assert made.intent.messages == (closing,)
    [(message, outcome)] = made.dropped
    assert message == bid
    assert re.fullmatch(
        r"it adds about \d+uve to its transaction's fee, more than the 10uve that it brings", outcome.why
    )
    alone = client.prepare([closing], FeeTerms(0, (10_000_000,), Decimal("1.05")))
    assert isinstance(alone, Prepared)
    assert alone.intent is not None
    assert made.intent.gas == alone.intent.gas


def test_a_message_that_pays_what_it_adds_shares_the_transaction(world: ChainWorld) -> None:
    client = world.client()
    orders = [world.order(world.tenants[0]) for _ in range(4)]
    view = seen(client)
    bids = [offer(view, order) for order in orders]
    three, four = (prepared(client, *bids[:count]).intent for count in (3, 4))
    assert three is not None
    assert four is not None
    added = four.fee - three.fee
    assert added * 4 < four.fee
    for most, count in ((added, 4), (added - 1, 3)):
        made = client.prepare(bids, FeeTerms(0, (10**6, 10**6, 10**6, most), Decimal("1.05")))
        assert isinstance(made, Prepared)
        assert made.intent is not None
        assert (len(made.intent.messages), made.intent.gas) == (count, (three, four)[count - 3].gas)


def test_the_gas_limit_is_the_simulated_gas_times_its_factor(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    made = client.prepare([offer(seen(client), order)], fee_terms(1, gas_factor="1.25"))
    assert isinstance(made, Prepared)
    assert made.intent is not None
    limit = decode_tx(made.intent.tx).terms.gas_limit
    assert limit == math.ceil(Decimal("1.25") * made.intent.gas)
    assert made.intent.fee == math.ceil(limit * Decimal("0.025"))
    assert client.broadcast(made.intent) == Done()
    world.advance()
    used = seen(client, [made.intent.hash]).tx_results[made.intent.hash].gas_used
    assert 0.9 < used / made.intent.gas < 1.05


def test_a_message_that_became_invalid_is_not_broadcast_again(world: ChainWorld) -> None:
    """Its transaction would cost its whole fee in a block."""
    assert world.simulated is not None
    client = world.client()
    lease = lease_of(world, client)
    world.advance()
    seen(client)
    made = prepared(client, WithdrawLease(lease.id)).intent
    assert made is not None
    world.simulated.faults.lost_requests = 1
    assert isinstance(client.broadcast(made), Unknown)
    world.close_lease(world.tenants[0], lease.id)
    answer = client.broadcast(made)
    assert isinstance(answer, Unknown)
    assert answer.why.startswith("it would fail in a block now")
    world.advance()
    assert made.hash not in seen(client, [made.hash]).tx_results


def test_a_higher_gas_price_is_followed(world: ChainWorld) -> None:
    assert world.simulated is not None
    client = world.client()
    orders = [world.order(world.tenants[0]) for _ in range(2)]
    view = seen(client)
    world.simulated.faults.price_factor = 3
    made = prepared(client, offer(view, orders[0])).intent
    assert made is not None
    refused = client.broadcast(made)
    assert isinstance(refused, Failed)
    assert refused.reason == "GasPrice"
    view = seen(client)
    assert view.rules.gas_price == Decimal("0.075")
    again = prepared(client, offer(view, orders[0])).intent
    assert again is not None
    assert client.broadcast(again) == Done()


def test_a_gas_price_above_the_host_limit_is_not_paid(world: ChainWorld) -> None:
    expected = ClientOptions(world.chain_id, stale_seconds=None)
    policy = FeePolicy(gas_price_max=Decimal("0.01"))
    client = ChainClient(GrpcNode(world.node.target), world.rpc, world.provider, expected, policy)
    order = world.order(world.tenants[0])
    assert failed(client.prepare([offer(seen(client), order)], fee_terms(1))).reason == "GasPrice"
    client.close()


def test_an_account_without_balance_is_reported(world: ChainWorld) -> None:
    stranger = type(world.provider)(b"\x07" * 32)
    expected = ClientOptions(world.chain_id, stale_seconds=None)
    client = ChainClient(GrpcNode(world.node.target), world.rpc, stranger, expected, FeePolicy())
    order = world.order(world.tenants[0])
    view = seen(client)
    assert (view.wallet.balance, view.wallet.sequence, view.provider) == (0, 0, None)
    assert failed(client.prepare([offer(view, order)], fee_terms(1))).reason == "NoBalance"
    client.close()
