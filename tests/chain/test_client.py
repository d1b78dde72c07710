"""The client where a node misbehaves, and how little it asks; on the simulated chain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.chain import queries, surroundings
from reconciler.chain.client import ChainClient, Expectations
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_errors import NodeError, NodeRefusedError
from reconciler.chain.preparing import Policy
from reconciler.chain.proto import settlement_v1_pb2
from reconciler.chain.proto.cosmos_tx_pb2 import BroadcastTxResponse
from reconciler.chain.rpc import Rpc
from reconciler.chain.touched import Touched
from reconciler.devnet.chain.genesis import Gates
from reconciler.values.ids import LeaseId
from reconciler.values.intents import Prepared
from reconciler.values.messages import CreateBid, WithdrawLease
from reconciler.values.observed import Market
from reconciler.values.outcomes import Done, Failed, Refused, Unknown
from reconciler.values.readings import Unseen
from tests.chain.counting import counted, failing
from tests.contracts.chain_worlds import (
    FEE_MAX,
    ChainWorld,
    landed,
    lease_of,
    offer,
    prepared,
    seen,
    shut,
    simulated_world,
    told,
)

NO_BLOCK = NodeRefusedError("block_results", "-32603", "could not find results for height #1")


@contextmanager
def simulated(gates: Gates | None = None) -> Iterator[ChainWorld]:
    world, served = simulated_world(gates)
    yield world
    world.close()
    shut(served)


@pytest.fixture
def world() -> Iterator[ChainWorld]:
    with simulated() as made:
        yield made


def unseen(client: ChainClient) -> str:
    reading = client.look([], [])
    assert isinstance(reading, Unseen), reading
    return reading.why


def failed(outcome: object) -> Failed:
    assert isinstance(outcome, Failed), outcome
    return outcome


def test_a_quiet_block_costs_one_question_beside_the_height(world: ChainWorld) -> None:
    client = world.client()
    for _ in range(3):
        lease_of(world, client)
    seen(client)
    for _ in range(5):
        world.advance()
        with counted() as counts:
            seen(client)
        assert counts == {"status": 1, "block_results": 1}
    with counted() as counts:
        seen(client)
    assert counts == {"status": 1}


def test_a_stranger_s_trade_is_not_asked_about_lease_by_lease(world: ChainWorld) -> None:
    client = world.client()
    for _ in range(3):
        lease_of(world, client)
    order = world.order(world.tenants[1])
    seen(client)
    bid = world.bid_as(world.rivals[0], order, 100)
    with counted() as counts:
        seen(client)
    assert counts == {"status": 1, "block_results": 1}
    world.accept(world.tenants[1], bid)
    with counted() as counts:
        view = seen(client)
    assert order not in view.orders
    assert counts.total() <= 6


def test_everything_is_read_anew_every_few_minutes(world: ChainWorld) -> None:
    client = world.client(full_view_seconds=3)
    seen(client)
    asked = []
    for _ in range(8):
        world.advance()
        with counted() as counts:
            view = seen(client)
        asked.append(counts["/virtengine.market.v1beta5.Query/Orders"])
        assert view.transfers == ()
    assert asked == [0, 0, 0, 1, 0, 0, 0, 1]


def test_long_lists_and_short_questions_show_the_same(
    world: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, tenant = world.client(), world.tenants[0]
    leases = [lease_of(world, client) for _ in range(3)]
    orders = [world.order(tenant) for _ in range(3)]
    landed(world, client, offer(seen(client), orders[0]))
    world.close_deployment(tenant, orders[1].deployment)
    world.close_lease(tenant, leases[0].id)
    known = [lease.id for lease in leases]
    one_by_one = seen(world.client(), known=known)
    monkeypatch.setattr(surroundings, "FEW", 1)
    assert seen(world.client(), known=known) == one_by_one
    monkeypatch.setattr(queries.Queries.__init__, "__defaults__", (0, 2))
    assert seen(world.client(), known=known) == one_by_one
    assert len(one_by_one.leases) == 3
    assert len(one_by_one.orders) == 4


@pytest.mark.parametrize("method", ["Orders", "Bids", "Leases", "Order", "Deployment", "Params", "Provider"])
def test_a_list_that_fails_leaves_nothing_seen(world: ChainWorld, method: str) -> None:
    lease_of(world, world.client())
    world.order(world.tenants[0])
    parts = {"Deployment": "deployment.v1beta4", "Provider": "provider.v1beta4"}
    path = f"/virtengine.{parts.get(method, 'market.v1beta5')}.Query/{method}"
    client = world.client()
    if method == "Order":
        seen(client)
        world.order(world.tenants[0])
    with failing(path, NodeError("the node does not answer")):
        assert unseen(client) == "the node does not answer"
    assert len(seen(client).orders) >= 1


def test_a_look_that_failed_halfway_loses_nothing(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    start = seen(client)
    intent = prepared(client, offer(start, order)).intent
    assert intent is not None
    client.broadcast(intent)
    world.advance()
    with failing("/virtengine.market.v1beta5.Query/Bid", NodeError("gone")):
        assert unseen(client) == "gone"
    world.advance()
    view = seen(client, [intent.hash])
    assert view.landed[intent.hash].code == 0
    assert view.transfers is not None
    assert -sum(t.amount for t in view.transfers) == view.wallet.balance - start.wallet.balance


def test_pruned_blocks_lead_to_a_full_view_that_says_so(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    intent = prepared(client, offer(seen(client), order)).intent
    assert intent is not None
    client.broadcast(intent)
    world.advance()
    with failing("block_results", NO_BLOCK):
        view = seen(client, [intent.hash])
    assert view.transfers is None
    assert view.landed[intent.hash].code == 0
    assert intent.messages[0].id in view.bids  # type: ignore[union-attr]  # it is a bid
    world.advance()
    assert seen(client).transfers == ()


def test_a_node_that_is_not_to_be_believed_is_unseen(world: ChainWorld) -> None:
    assert world.simulated is not None
    client, switches = world.client(), world.simulated.faults
    seen(client)
    switches.catching_up = True
    assert "catching up" in unseen(client)
    switches.catching_up = False
    switches.lag = 1
    assert "behind height 2 seen before" in unseen(client)
    switches.lag = 0
    switches.shown_chain_id = "another-1"
    assert "is on chain another-1" in unseen(client)
    switches.shown_chain_id = ""
    seen(client)


def test_a_chain_that_stands_still_is_unseen(world: ChainWorld) -> None:
    assert world.simulated is not None
    late = world.simulated.time.timestamp() + 130
    assert "has made no block for 130 s" in unseen(world.client(clock=lambda: late))
    seen(world.client(clock=lambda: late, stale_seconds=None))


def test_a_height_booked_in_an_earlier_life_is_a_bound_too(world: ChainWorld) -> None:
    assert "behind height 50" in unseen(world.client(since=50))


@pytest.mark.parametrize(("grpc", "rpc"), [("127.0.0.1:1", ""), ("", "http://127.0.0.1:1")])
def test_a_node_that_is_down_is_unseen_and_sends_nothing(world: ChainWorld, grpc: str, rpc: str) -> None:
    node = GrpcNode(grpc or world.node.target, timeout_seconds=2)
    expected = Expectations(world.chain_id, stale_seconds=None)
    client = ChainClient(node, Rpc(rpc or world.rpc.url, 2), world.provider, expected, Policy())
    assert "does not answer" in unseen(client)
    assert failed(client.prepare([], FEE_MAX)).reason == "ChainUnseen"
    client.close()


def test_a_sequence_that_somebody_else_spent_stops_the_signing(world: ChainWorld) -> None:
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


def test_a_gate_drops_the_withdrawal_with_the_chain_s_words() -> None:
    with simulated(Gates(identity=False, second_factor=frozenset({"medium_withdrawal"}))) as world:
        client = world.client()
        first, second = lease_of(world, client), lease_of(world, client)
        seen(client)
        with counted() as counts:
            made = prepared(client, WithdrawLease(first.id), WithdrawLease(second.id))
        assert made.intent is None
        assert len(made.dropped) == 2
        assert made.dropped[0][1].startswith("MFA required for medium_withdrawal")
        assert counts["/cosmos.tx.v1beta1.Service/Simulate"] == 1


def twice(message: CreateBid) -> CreateBid:
    """A bid that makes the chain panic, without a word of which message it was."""
    return replace(message, units=message.units * 2)


def test_a_panic_that_names_no_message_is_found_by_halves(world: ChainWorld) -> None:
    client = world.client()
    orders = [world.order(world.tenants[0]) for _ in range(5)]
    view = seen(client)
    good = [offer(view, order) for order in orders]
    messages = [*good[:3], twice(good[3]), good[4]]
    made = prepared(client, *messages)
    assert made.intent is not None
    assert made.intent.messages == (*good[:3], good[4])
    ((dropped, words),) = made.dropped
    assert dropped == messages[3]
    assert words.startswith("recovered: ")
    assert "\n" not in words


def test_a_hundred_bids_are_one_transaction(world: ChainWorld) -> None:
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
    assert view.landed[made.intent.hash].code == 0
    assert len(view.bids) == 15


def test_a_fee_over_its_bound_is_not_paid(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    outcome = failed(client.prepare([offer(seen(client), order)], 100))
    assert outcome.reason == "FeeTooHigh"
    assert "more than the 100uve" in outcome.why


def test_a_gas_price_over_the_host_file_s_is_not_paid(world: ChainWorld) -> None:
    expected = Expectations(world.chain_id, stale_seconds=None)
    policy = Policy(gas_price_max=Decimal("0.01"))
    client = ChainClient(GrpcNode(world.node.target), world.rpc, world.provider, expected, policy)
    order = world.order(world.tenants[0])
    assert failed(client.prepare([offer(seen(client), order)], FEE_MAX)).reason == "GasPrice"
    client.close()


def test_an_account_without_coins_says_so(world: ChainWorld) -> None:
    stranger = type(world.provider)(b"\x07" * 32)
    expected = Expectations(world.chain_id, stale_seconds=None)
    client = ChainClient(GrpcNode(world.node.target), world.rpc, stranger, expected, Policy())
    order = world.order(world.tenants[0])
    view = seen(client)
    assert (view.wallet.balance, view.wallet.sequence, view.provider) == (0, 0, None)
    assert failed(client.prepare([offer(view, order)], FEE_MAX)).reason == "NoBalance"
    client.close()


def test_losers_bids_are_shown_until_their_deposit_is_back(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    others = [world.bid_as(rival, order, 50) for rival in world.rivals]
    landed(world, client, offer(seen(client), order))
    world.accept(world.tenants[0], others[0])
    view: Market = seen(client)
    bid = view.bids.get(LeaseId(order, world.provider.address))
    # of two losers the chain refunds the one with the lowest address alone (semantics 3.7)
    assert bid is not None
    assert bid.deposit == 500_000
    assert bid.order is not None
    assert bid.order.state == "active"
    assert view == replace(seen(world.client()), transfers=view.transfers, block_seconds=view.block_seconds)


def test_what_is_prepared_can_be_sent_by_a_later_life(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    made: Prepared = prepared(client, offer(seen(client), order))
    assert made.intent is not None
    later = world.client()
    assert later.broadcast(made.intent) == Done()
    world.advance()
    assert seen(later, [made.intent.hash]).landed[made.intent.hash].code == 0


def test_what_settles_a_shorter_number_settles_a_longer_one(world: ChainWorld) -> None:
    client = world.client()
    world.numbers = 4_008
    short = lease_of(world, client)
    world.numbers = 40_090_000
    long = lease_of(world, client)
    for _ in range(3):
        world.advance()
    before = seen(client).leases[long.id].payment
    _, view = landed(world, client, WithdrawLease(short.id))
    # the withdrawal on 4009 puts its own blocks on the payment of 40090001 (semantics 4.4)
    assert view.leases[long.id].payment.balance > before.balance
    assert told(view) == told(seen(world.client(), known=sorted(view.leases)))


def test_an_escrow_that_is_named_by_its_own_id_alone_is_read_again(world: ChainWorld) -> None:
    client, tenant = world.client(), world.tenants[0]
    lease = lease_of(world, client, usage=True)
    world.settlement_escrow(tenant, lease.id, 500_000)
    escrow = seen(client).settlements[lease.id.order].escrow
    assert escrow is not None
    refund = settlement_v1_pb2.MsgRefundEscrow(sender=tenant.address, escrow_id=escrow.id, reason="done")
    world.do(tenant, refund)
    after = seen(client).settlements[lease.id.order].escrow
    assert after is not None
    assert (after.state, after.balance) == ("refunded", 0)


def test_an_escrow_that_expires_by_itself_is_read_again(world: ChainWorld) -> None:
    assert world.simulated is not None
    client = world.client()
    lease = lease_of(world, client, usage=True)
    world.settlement_escrow(world.tenants[0], lease.id, 500_000)
    escrow = seen(client).settlements[lease.id.order].escrow
    assert escrow is not None
    world.simulated.step((escrow.expires_at + 1) * 10**9)
    expired = seen(client).settlements[lease.id.order].escrow
    assert expired is not None
    assert expired.state == "expired"
    with counted() as counts:
        world.advance()
        seen(client)
    assert counts["/virtengine.settlement.v1.Query/EscrowsByOrder"] == 0


def test_a_price_that_the_node_asked_once_is_not_paid_for_ever(world: ChainWorld) -> None:
    client = world.client(full_view_seconds=3)
    order = world.order(world.tenants[0])
    intent = prepared(client, offer(seen(client), order)).intent
    assert intent is not None
    low = "insufficient fee: min gas prices 0.050000000000000000uve, got 0.025000000000000000uve"
    refused = BroadcastTxResponse(tx_response={"code": 1, "codespace": "undefined", "raw_log": low})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GrpcNode, "ask", lambda *_: refused)
        assert client.broadcast(intent) == Refused("ChainRefused", low)
    dearer = prepared(client, offer(seen(client), order)).intent
    assert dearer is not None
    assert dearer.fee == pytest.approx(2 * intent.fee, rel=0.01)
    for _ in range(5):
        world.advance()
    again = prepared(client, offer(seen(client), order)).intent
    assert again is not None
    assert again.fee == pytest.approx(intent.fee, rel=0.01)


def test_what_cannot_be_read_asks_for_a_full_view_but_not_every_block(world: ChainWorld) -> None:
    client = world.client(full_view_seconds=40)
    seen(client)
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Touched, "add_block", lambda self, *_: setattr(self, "everything", True))
        for _ in range(9):
            world.advance()
            with counted() as counts:
                seen(client)
            asked.append(counts["/virtengine.market.v1beta5.Query/Orders"])
    assert asked == [0, 0, 0, 0, 1, 0, 0, 0, 0]
