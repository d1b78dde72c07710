"""Lists without an end, pages without a bound: a look stays small, and what was left out is said."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.chain import deployments as surroundings
from reconciler.chain import full_view, queries, refresh
from reconciler.chain.deployments import ORDER_BYTES_MAX, ORDERS_MAX
from reconciler.chain.full_view import read_orders
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_errors import ListTooLongError, NodeError, TooLargeError
from reconciler.chain.proto import market_v1beta5_pb2 as markets
from reconciler.chain.queries import LIST_BYTES_MAX, PAGES_MAX, QUERIES_SECONDS_MAX, Queries
from tests.chain.counting import failing
from tests.contracts.chain_backends import ChainWorld
from tests.contracts.chain_steps import lease_of, seen

Answer = Callable[[Any], Any]
OWNER = "ve1" + "q" * 38


class Endless(GrpcNode):
    """A node whose answers the test makes; nothing is sent."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("127.0.0.1:1")
        self._answer, self.asked = answer, 0

    def call(self, method: Any, request: Any, height: int = 0) -> Any:
        self.asked += 1
        return self._answer(request)


def orders(rows: int, size: int = 0) -> Answer:
    """Pages of new orders for ever."""
    made = 0

    def answer(request: Any) -> Any:
        nonlocal made
        page = markets.QueryOrdersResponse()
        for _ in range(min(rows, request.pagination.limit)):
            made += 1
            order = page.orders.add(id={"owner": OWNER, "dseq": made, "gseq": 1, "oseq": 1})
            order.spec.requirements.attributes.add(key="a", value="x" * size)
        page.pagination.next_key = str(made).encode()
        return page

    return answer


def test_endless_orders_are_truncated_and_marked() -> None:
    node = Endless(orders(500))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, _, is_cut = read_orders(Queries(node))
    assert (len(found), is_cut) == (ORDERS_MAX, True)
    assert node.asked <= ORDERS_MAX / 500 + 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


def test_endless_empty_pages_are_an_error() -> None:
    numbers = iter(range(10**6))

    def answer(request: Any) -> Any:
        kind = {
            "QueryOrdersRequest": markets.QueryOrdersResponse,
            "QueryBidsRequest": markets.QueryBidsResponse,
        }
        return kind[type(request).__name__](pagination={"next_key": str(next(numbers)).encode()})

    node = Endless(answer)
    assert read_orders(Queries(node)) == ({}, set(), True)
    assert node.asked == PAGES_MAX
    with pytest.raises(ListTooLongError, match="does not end after 200 pages"):
        list(Queries(node).bids(OWNER, "open"))


def test_endless_bytes_are_an_error() -> None:
    node = Endless(orders(500, size=10_000))
    found, _, is_cut = read_orders(Queries(node))
    assert is_cut
    assert len(found) * 10_000 < LIST_BYTES_MAX + 500 * 10_100


def test_only_the_oversized_order_is_omitted() -> None:
    def answer(_: Any) -> Any:
        page = markets.QueryOrdersResponse()
        for number in (1, 2, 3):
            order = page.orders.add(id={"owner": OWNER, "dseq": number, "gseq": 1, "oseq": 1})
            value = "x" * (ORDER_BYTES_MAX if number == 2 else 10)
            order.spec.requirements.attributes.add(key="a", value=value)
        return page

    found, _, is_cut = read_orders(Queries(Endless(answer)))
    assert sorted(each.dseq for each in found) == [1, 3]
    assert is_cut


def test_oversized_pages_are_requested_again_with_fewer_rows() -> None:
    limits: list[int] = []

    def answer(request: Any) -> Any:
        limits.append(request.pagination.limit)
        if request.pagination.limit > 100:
            raise TooLargeError("more than is read")
        page = markets.QueryOrdersResponse()
        page.orders.add(id={"owner": OWNER, "dseq": len(limits), "gseq": 1, "oseq": 1})
        page.pagination.next_key = b"" if len(limits) > 4 else str(len(limits)).encode()
        return page

    found, _, is_cut = read_orders(Queries(Endless(answer)))
    assert (len(found), is_cut) == (2, False)
    assert limits == [500, 250, 125, 62, 62]


def test_a_single_oversized_row_is_an_error() -> None:
    def answer(_: Any) -> Any:
        raise TooLargeError("more than is read")

    with pytest.raises(TooLargeError):
        list(Queries(Endless(answer)).open_orders())


def test_the_queries_of_a_view_have_a_total_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 10**6, 7))
    monkeypatch.setattr(queries, "monotonic", lambda: next(now))
    node = Endless(orders(1))
    with pytest.raises(NodeError, match="too slowly"):
        read_orders(Queries(node))
    assert node.asked <= QUERIES_SECONDS_MAX


def test_a_view_with_omitted_orders_keeps_leases_and_is_marked(
    world: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client()
    lease = lease_of(world, client)
    known = [world.order(world.tenants[0]) for _ in range(3)]
    for module in (full_view, refresh):
        monkeypatch.setattr(module, "ORDERS_MAX", 2)
    view = seen(world.client())
    assert (len(view.orders), view.orders_cut) == (2, True)
    assert lease.id in view.leases
    follower = world.client()
    monkeypatch.setattr(full_view, "ORDERS_MAX", 3)
    monkeypatch.setattr(refresh, "ORDERS_MAX", 3)
    assert seen(follower).orders_cut is False
    new = world.order(world.tenants[0])
    later = seen(follower)
    assert later.orders_cut
    assert set(later.orders) == set(known)
    assert new not in later.orders


def test_unlistable_deployments_omit_orders_but_no_lease(
    world: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client()
    lease = lease_of(world, client)
    world.order(world.tenants[0])
    monkeypatch.setattr(surroundings, "SINGLE_QUERIES_MAX", 0)
    with failing("/virtengine.deployment.v1beta4.Query/Deployments", ListTooLongError("too long")):
        view = seen(world.client())
    assert (view.orders, view.orders_cut) == ({}, True)
    assert view.leases[lease.id].units == lease.units
