"""The client where a node misbehaves, on the simulated chain."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.chain import deployments as surroundings
from reconciler.chain import full_view, queries
from reconciler.chain.block_changes import BlockChanges
from reconciler.chain.client import ChainClient, ClientOptions
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.heights import SeenHeight
from reconciler.chain.node_errors import NodeError, NodeRefusedError
from reconciler.chain.rpc import Rpc
from reconciler.chain.tx_builder import FeePolicy
from reconciler.values.observed import Order
from reconciler.values.readings import Unseen
from tests.chain.counting import counted, failing
from tests.contracts.chain_backends import ChainWorld, fee_terms
from tests.contracts.chain_steps import (
    failed,
    landed,
    lease_of,
    offer,
    prepared,
    seen,
    unseen,
)

NO_BLOCK = NodeRefusedError("block_results", "-32603", "could not find results for height #1")


def test_a_full_view_is_read_periodically(world: ChainWorld) -> None:
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


def test_a_full_view_without_changes_has_the_same_objects(world: ChainWorld) -> None:
    world.order(world.tenants[0])
    client = world.client(full_view_seconds=1)
    first = seen(client)
    for _ in range(3):
        world.advance()
        view = seen(client)
        assert view.orders is first.orders
        assert (view.leases, view.bids, view.accounts) == (first.leases, first.bids, first.accounts)
        assert view.leases is first.leases


def test_query_strategy_does_not_change_the_view(world: ChainWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    client, tenant = world.client(), world.tenants[0]
    leases = [lease_of(world, client) for _ in range(3)]
    orders = [world.order(tenant) for _ in range(3)]
    landed(world, client, offer(seen(client), orders[0]))
    world.close_deployment(tenant, orders[1].deployment)
    world.close_lease(tenant, leases[0].id)
    known = [lease.id for lease in leases]
    one_by_one = seen(world.client(), known=known)
    monkeypatch.setattr(surroundings, "SINGLE_QUERIES_MAX", 1)
    assert seen(world.client(), known=known) == one_by_one
    monkeypatch.setattr(queries.Queries.__init__, "__defaults__", (0, 2))
    assert seen(world.client(), known=known) == one_by_one
    assert len(one_by_one.leases) == 3
    assert len(one_by_one.orders) == 3


@pytest.mark.parametrize("method", ["Orders", "Bids", "Leases", "Order", "Deployment", "Params", "Provider"])
def test_a_failed_list_makes_the_chain_unseen(world: ChainWorld, method: str) -> None:
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


def test_a_partly_failed_view_loses_no_change(world: ChainWorld) -> None:
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
    assert view.tx_results[intent.hash].code == 0
    assert view.transfers is not None
    assert -sum(t.amount for t in view.transfers) == view.wallet.balance - start.wallet.balance


def test_pruned_blocks_lead_to_a_full_view_with_transfers_from_the_index(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    start = seen(client)
    intent = prepared(client, offer(start, order)).intent
    assert intent is not None
    client.broadcast(intent)
    world.advance()
    with failing("block_results", NO_BLOCK):
        view = seen(client, [intent.hash])
    assert view.transfers is not None
    assert -sum(t.amount for t in view.transfers) == view.wallet.balance - start.wallet.balance
    assert view.tx_results[intent.hash].code == 0
    assert intent.messages[0].id in view.bids  # type: ignore[union-attr]  # it is a bid
    world.advance()
    assert seen(client).transfers == ()


def test_without_an_index_transfers_of_pruned_blocks_are_unknown(world: ChainWorld) -> None:
    client = world.client()
    seen(client)
    world.advance()
    with failing("block_results", NO_BLOCK), failing("tx_search", NodeError("no index")):
        assert seen(client).transfers is None


def test_an_unusable_node_is_unseen(world: ChainWorld) -> None:
    assert world.simulated is not None
    client, switches = world.client(), world.simulated.faults
    for _ in range(3):
        world.advance()
    seen(client)
    switches.catching_up = True
    assert "catching up" in unseen(client)
    switches.catching_up = False
    switches.lag = 3
    assert "behind height 5 seen before" in unseen(client)
    switches.lag = 0
    switches.shown_chain_id = "another-1"
    assert "is on chain another-1" in unseen(client)
    switches.shown_chain_id = ""
    seen(client)


def test_a_halted_chain_is_unseen(world: ChainWorld) -> None:
    assert world.simulated is not None
    late = world.simulated.time.timestamp() + 130
    assert "has made no block for 130 s" in unseen(world.client(clock=lambda: late))
    seen(world.client(clock=lambda: late, stale_seconds=None))


def test_the_last_height_of_an_earlier_process_is_a_bound(world: ChainWorld) -> None:
    assert world.simulated is not None
    late = world.simulated.time.timestamp() + 10
    assert "behind height 50" in unseen(world.client(last_height=SeenHeight(50, late, late)))


@pytest.mark.parametrize(
    ("field", "value"), [("provider", ""), ("provider", "a/b"), ("dseq", 0), ("gseq", 0)]
)
@pytest.mark.parametrize("method", ["Leases", "Bids", "Lease"])
def test_invalid_ids_make_the_chain_unseen(world: ChainWorld, method: str, field: str, value: object) -> None:
    client = world.client()
    lease = lease_of(world, client)
    if method == "Lease":
        world.close_lease(world.tenants[0], lease.id)
    client.forget_height()
    ask = GrpcNode.call

    def lying_ask(self: GrpcNode, asked: Any, request: Any, height: int = 0) -> Any:
        answer = ask(self, asked, request, height)
        if asked.path.endswith(f"Query/{method}"):
            rows = {"Leases": "leases", "Bids": "bids"}
            for each in getattr(answer, rows[method]) if method in rows else [answer]:
                setattr(each.bid.id if method == "Bids" else each.lease.id, field, value)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GrpcNode, "call", lying_ask)
        view = client.observe((), [lease.id])
    assert isinstance(view, Unseen)
    assert "with the invalid ID" in view.why
    assert lease.id in seen(client, known=[lease.id]).leases


@pytest.mark.parametrize(("grpc", "rpc"), [("127.0.0.1:1", ""), ("", "http://127.0.0.1:1")])
def test_a_node_that_is_down_is_unseen_and_sends_nothing(world: ChainWorld, grpc: str, rpc: str) -> None:
    node = GrpcNode(grpc or world.node.target, timeout_seconds=2)
    expected = ClientOptions(world.chain_id, stale_seconds=None)
    client = ChainClient(node, Rpc(rpc or world.rpc.url, 2), world.provider, expected, FeePolicy())
    assert "does not answer" in unseen(client)
    assert failed(client.prepare([], fee_terms(0))).reason == "ChainUnseen"
    client.close()


def test_unreadable_blocks_request_full_views_at_a_limited_rate(world: ChainWorld) -> None:
    client = world.client(full_view_seconds=40)
    seen(client)
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BlockChanges, "add_block", lambda self, *_: setattr(self, "everything", True))
        for _ in range(9):
            world.advance()
            with counted() as counts:
                seen(client)
            asked.append(counts["/virtengine.market.v1beta5.Query/Orders"])
    assert asked == [0, 0, 0, 0, 1, 0, 0, 0, 0]


def test_orders_that_can_never_be_accepted_are_in_no_view(world: ChainWorld) -> None:
    """The chain lists them as open for ever; their deployments are closed (semantics 3.8)."""
    client = world.client()
    closed, live = world.order(world.tenants[0]), world.order(world.tenants[0])
    assert set(seen(client).orders) == {closed, live}
    world.close_deployment(world.tenants[0], closed.deployment)
    assert set(seen(client).orders) == {live}
    assert set(seen(world.client()).orders) == {live}


def test_closed_orders_take_no_place_of_live_ones(world: ChainWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_view, "ORDERS_MAX", 2)
    for _ in range(2):
        world.close_deployment(world.tenants[0], world.order(world.tenants[0]).deployment)
    live = world.order(world.tenants[0])
    client = world.client(full_view_seconds=0)
    assert seen(client).orders_cut
    world.advance()
    view = seen(client)
    assert (set(view.orders), view.orders_cut) == ({live}, False)


def test_a_bid_on_a_closed_order_is_seen_and_closed(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    landed(world, client, offer(seen(client), order))
    world.close_deployment(world.tenants[0], order.deployment)
    for view in (seen(client), seen(world.client())):
        [bid] = view.bids.values()
        assert not bid.may_win


def test_an_order_whose_id_is_used_again_on_a_new_chain_is_seen(
    world: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.order(world.tenants[0])
    client = world.client(full_view_seconds=0)
    with monkeypatch.context() as patch:
        patch.setattr(Order, "is_closed", property(lambda _: True))
        assert not seen(client).orders
    client.forget_height()
    assert set(seen(client).orders) == {order}


def test_only_closed_orders_that_the_chain_still_lists_are_remembered(
    world: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.order(world.tenants[0])
    client = world.client(full_view_seconds=0)
    with monkeypatch.context() as patch:
        patch.setattr(Order, "is_closed", property(lambda _: True))
        assert not seen(client).orders
    with monkeypatch.context() as patch:
        patch.setattr(queries.Queries, "open_orders", lambda _: iter(()))
        world.advance()
        assert not seen(client).orders
    world.advance()
    assert set(seen(client).orders) == {order}


def test_an_impossible_amount_makes_the_chain_unseen(
    world: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = GrpcNode.call

    def rich(self: GrpcNode, method: Any, request: Any, height: int = 0) -> Any:
        answer = call(self, method, request, height)
        if method is queries.BALANCE:
            answer.balance.amount = str(2**63)
        return answer

    client = world.client()
    monkeypatch.setattr(GrpcNode, "call", rich)
    assert "impossible amount" in unseen(client)
