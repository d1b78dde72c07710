"""A view brought up to date by blocks, and how little it asks; on the simulated chain."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.chain import refresh
from reconciler.chain.block_changes import BlockChanges
from reconciler.chain.proto import settlement_v1_pb2
from reconciler.chain.proto.market_v1beta5_pb2 import Params as MarketParams
from reconciler.values.ids import LeaseId
from reconciler.values.messages import WithdrawLease
from reconciler.values.observed import Market
from tests import makers
from tests.chain.counting import counted
from tests.contracts.chain_backends import ChainWorld
from tests.contracts.chain_steps import (
    landed,
    lease_of,
    offer,
    seen,
    told,
)


def test_a_quiet_block_makes_one_query_besides_the_height(world: ChainWorld) -> None:
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


def test_foreign_leases_are_not_queried_one_by_one(world: ChainWorld) -> None:
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


def test_lost_bids_remain_until_their_deposit_is_refunded(world: ChainWorld) -> None:
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


def test_settling_a_deployment_refreshes_those_with_its_prefix(world: ChainWorld) -> None:
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


def test_an_escrow_known_by_its_id_is_refreshed(world: ChainWorld) -> None:
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


def test_an_expired_escrow_is_refreshed(world: ChainWorld) -> None:
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


def test_parameters_that_a_proposal_changes_are_read_with_its_block(world: ChainWorld) -> None:
    client = world.client()
    seen(client)
    assert world.simulated is not None
    params = MarketParams(bid_min_deposit={"denom": "uve", "amount": "1000000"}, order_max_bids=7)
    world.simulated.pass_proposal(b"market", params.SerializeToString())
    world.advance()
    order = world.order(world.tenants[0])

    view = seen(client)

    assert (view.rules.bid_deposit, view.rules.order_max_bids) == (1_000_000, 7)
    landed(world, client, offer(view, order))


def test_bids_of_other_providers_are_seen_in_blocks_and_survive_a_full_view(world: ChainWorld) -> None:
    client = world.client()
    order, other = world.order(world.tenants[0]), world.order(world.tenants[1])
    assert seen(client).rival_bids == {}
    bid = world.bid_as(world.rivals[0], order, 50)
    world.bid_as(world.rivals[1], other, 70)
    view = seen(client)
    assert {each.order: price for each, price in view.rival_bids.items()} == {order: 50, other: 70}
    world.advance()
    assert seen(client).rival_bids is view.rival_bids
    world.accept(world.tenants[0], bid)
    assert [each.order for each in seen(client).rival_bids] == [other]


def test_other_bids_of_open_orders_are_kept_in_order_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "RIVAL_BIDS_MAX", 2)
    order = makers.order(1)
    first, second, third = (LeaseId(order.id, f"ve1rival{n}") for n in range(3))
    changes = BlockChanges(makers.US, rival_bids={second: Decimal(2), third: Decimal(3)})
    kept = refresh.rival_bids_after({first: Decimal(1)}, changes, {order.id: order})
    assert kept == {second: 2, third: 3}
    closed = BlockChanges(makers.US, rival_bids={third: None})
    assert refresh.rival_bids_after(kept, closed, {order.id: order}) == {second: 2}
    assert refresh.rival_bids_after(kept, closed, {}) == {}
