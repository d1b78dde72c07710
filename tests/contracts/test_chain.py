"""The contract of the chain port, on the simulated chain and on any real node (`make live`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.chain.heights import SeenHeight
from reconciler.chain.queries import Queries
from reconciler.values.desired import CloseReason
from reconciler.values.messages import CloseBid, PayOut, RecordUsage, SettleUsage, WithdrawLease
from reconciler.values.observed import Market, State
from reconciler.values.outcomes import Done, Unknown
from reconciler.values.readings import Unseen
from tests.contracts.chain_backends import ChainWorld, live_world, simulated
from tests.contracts.chain_steps import landed, lease_of, offer, prepared, seen, told

LIVE = pytest.param("live", marks=pytest.mark.live)


@pytest.fixture(params=["simulated", LIVE])
def world(request: pytest.FixtureRequest) -> Iterator[ChainWorld]:
    if request.param == "live":
        if "NODE_GRPC" not in os.environ:
            pytest.skip("NODE_GRPC, NODE_RPC and KEYRING name no node")
        made = live_world()
        yield made
        made.close()
        return
    with simulated() as made:
        yield made


def assert_kept_current(world: ChainWorld, view: Market) -> None:
    """A view that was kept current by blocks equals one that is read anew at the same height."""
    fresh = seen(world.client(), known=sorted(view.leases))
    if fresh.height == view.height:
        assert told(view) == told(fresh)


def test_a_look_shows_our_account_our_record_and_the_rules(world: ChainWorld) -> None:
    view = seen(world.client())
    assert view.chain_id == world.chain_id
    assert view.wallet.address == world.provider.address
    assert view.wallet.balance == Queries(world.node, view.height).balance(world.provider.address) > 0
    assert view.provider is not None
    assert view.provider.owner == world.provider.address
    assert view.rules.bid_deposit > 0
    assert view.rules.gas_price > 0
    assert view.transfers is None  # nothing is known of the time before the first look


def test_time_advances_with_blocks(world: ChainWorld) -> None:
    client = world.client()
    first = seen(client)
    world.advance()
    second = seen(client)
    assert second.height > first.height
    assert second.time >= first.time
    assert second.transfers == ()
    assert Decimal(0) < second.block_seconds < 60


def test_an_order_appears_with_its_requirements_and_goes_with_its_deployment(world: ChainWorld) -> None:
    client, tenant = world.client(), world.tenants[0]
    before = seen(client)
    order = world.order(tenant, price="4000.5")
    view = seen(client)
    assert order not in before.orders
    shown = view.orders[order]
    assert (shown.state, shown.group_state, shown.deployment_state) == (State.OPEN, State.OPEN, State.ACTIVE)
    assert shown.price == Decimal("4000.5")
    assert (shown.units[0].cpu_milli, shown.units[0].memory_bytes) == (1000, 1 << 30)
    assert_kept_current(world, view)
    world.close_deployment(tenant, order.deployment)
    zombie = seen(client).orders.get(order)
    # the chain leaves an open order of a closed deployment open for ever (semantics 3.8)
    assert zombie is None or zombie.deployment_state is State.CLOSED
    assert_kept_current(world, seen(client))


def test_a_bid_lands_and_is_paid_for(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    before = seen(client)
    message = offer(before, order)
    intent, after = landed(world, client, message)
    bid = after.bids[message.id]
    assert (bid.state, bid.price, bid.deposit) == (State.OPEN, Decimal(2_446), before.rules.bid_deposit)
    assert bid.order == after.orders[order]
    assert after.wallet.sequence == before.wallet.sequence + 1 == intent.sequence + 1
    assert after.wallet.balance == before.wallet.balance - bid.deposit - intent.fee
    assert_kept_current(world, after)


def test_every_uve_that_came_or_went_is_in_a_transfer(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    start = seen(client)
    landed(world, client, offer(start, order))
    follower = world.client(last_height=SeenHeight(start.height, start.time, start.time))
    view = seen(follower)
    assert view.transfers is not None
    change = sum(t.amount * (1 if t.recipient == start.wallet.address else -1) for t in view.transfers)
    assert start.wallet.balance + change == view.wallet.balance
    assert seen(follower).transfers is not None


def test_the_same_bytes_twice_are_executed_once(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    intent = prepared(client, offer(seen(client), order)).intent
    assert intent is not None
    assert client.broadcast(intent) == Done()
    assert isinstance(client.broadcast(intent), Done | Unknown)
    for _ in range(3):
        world.advance()
    assert isinstance(client.broadcast(intent), Done | Unknown)
    view = seen(client, [intent.hash])
    assert view.tx_results[intent.hash].code == 0
    assert view.wallet.sequence == intent.sequence + 1


def test_a_later_life_finds_what_an_earlier_one_sent(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    intent, view = landed(world, client, offer(seen(client), order))
    again = seen(world.client(), [intent.hash, "0" * 64])
    assert again.tx_results == {intent.hash: view.tx_results[intent.hash]}


def test_what_was_never_sent_is_in_no_block(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    intent = prepared(client, offer(seen(client), order)).intent
    assert intent is not None
    assert 0 < intent.timeout_height - intent.signed_at_height <= 20
    world.advance()
    assert seen(client, [intent.hash]).tx_results == {}


def test_a_refused_message_is_dropped_and_the_rest_kept(world: ChainWorld) -> None:
    client, tenant = world.client(), world.tenants[0]
    first, second, dear = world.order(tenant), world.order(tenant), world.order(tenant, price="10")
    view = seen(client)
    landed(world, client, offer(view, first))
    seen(client)
    messages = (offer(view, first), offer(view, second), offer(view, dear))
    made = prepared(client, *messages)
    assert made.intent is not None
    assert made.intent.messages == (messages[1],)
    words = {message: outcome.why for message, outcome in made.dropped}
    assert "bid exists" in words[messages[0]]
    assert "bid price above max order price" in words[messages[2]]


def test_nothing_is_left_when_all_is_refused(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0], price="10")
    message = offer(seen(client), order)
    made = prepared(client, message)
    assert made.intent is None
    assert [each for each, _ in made.dropped] == [message]


def test_a_lease_shows_what_it_is_for_and_what_pays_it(world: ChainWorld) -> None:
    client = world.client()
    lease = lease_of(world, client)
    view = seen(client)
    assert lease.state is State.ACTIVE
    assert lease.units[0].cpu_milli == 1000
    assert not lease.usage_billed
    assert (lease.payment.rate, lease.payment.state) == (Decimal(2_446), State.OPEN)
    account = view.accounts[lease.id.deployment]
    assert account.funds == 5_000_000
    assert [payment.lease for payment in account.payments] == [lease.id]
    assert view.bids[lease.id].state is State.ACTIVE
    assert lease.id.order not in view.orders
    assert_kept_current(world, view)


def test_a_payout_is_seen_as_a_transfer_to_its_recipient(world: ChainWorld) -> None:
    """Of less than 10,000uve: a chain with second factors refuses more (semantics 1.5)."""
    client, recipient = world.client(), world.tenants[0].address
    before = seen(client)
    intent, after = landed(world, client, PayOut(recipient, 9_000))
    assert after.wallet.balance == before.wallet.balance - intent.fee - 9_000
    transfers = [t for t in after.transfers or () if t.tx == intent.hash and t.amount == 9_000]
    assert [(t.sender, t.recipient) for t in transfers] == [(before.wallet.address, recipient)]


def test_a_withdrawal_is_seen_in_payment_account_and_wallet(world: ChainWorld) -> None:
    client = world.client()
    lease = lease_of(world, client)
    for _ in range(3):
        world.advance()
    before = seen(client)
    intent, after = landed(world, client, WithdrawLease(lease.id))
    paid = after.leases[lease.id].payment.withdrawn
    blocks = after.accounts[lease.id.deployment].settled_at - lease.created_at
    assert paid == 2_446 * blocks > 0
    fee = paid * after.rules.take_percent // 100
    assert after.wallet.balance == before.wallet.balance - intent.fee + paid - fee
    assert after.accounts[lease.id.deployment].funds == 5_000_000 - paid
    assert_kept_current(world, after)


def test_a_deposit_is_seen_in_the_account(world: ChainWorld) -> None:
    client = world.client()
    lease = lease_of(world, client)
    world.top_up(world.tenants[0], lease.id.deployment, 1_000_000)
    view = seen(client)
    assert view.accounts[lease.id.deployment].funds == 6_000_000
    assert_kept_current(world, view)


def test_a_lease_that_the_tenant_closed_is_still_shown_where_it_is_known(world: ChainWorld) -> None:
    client = world.client()
    lease = lease_of(world, client)
    world.close_lease(world.tenants[0], lease.id)
    view = seen(client, known=[lease.id])
    closed = view.leases[lease.id]
    assert (closed.state, closed.closed_reason) == (State.CLOSED, "lease_closed_owner")
    assert closed.units == lease.units
    assert closed.closed_on > lease.created_at
    assert lease.id not in view.bids
    next_order = replace(lease.id.order, oseq=2)
    assert view.orders[next_order].state is State.OPEN
    assert_kept_current(world, view)
    assert seen(world.client(), known=[lease.id]).leases[lease.id].state is State.CLOSED
    world.advance()
    assert lease.id not in seen(client).leases


def test_closing_our_own_lease_pays_it_out(world: ChainWorld) -> None:
    client = world.client()
    lease = lease_of(world, client)
    world.advance()  # it is not closed in the block that settled its account
    _, view = landed(world, client, CloseBid(lease.id, CloseReason.UNSTABLE, lease=True))
    after = seen(client, known=[lease.id])
    assert after.leases.get(lease.id, view.leases.get(lease.id)) is not None
    closed = view.leases[lease.id]
    assert (closed.state, closed.closed_reason) == (State.CLOSED, "lease_closed_reason_unstable")
    assert closed.payment.withdrawn > 0
    assert lease.id not in view.bids


def test_usage_is_recorded_once_and_settled_by_its_id(world: ChainWorld) -> None:
    client = world.client()
    record = seen(client).provider
    assert record is not None
    if ("billing", "usage") not in record.attributes:
        pytest.skip("the provider's record does not say billing=usage")
    lease = lease_of(world, client, usage=True)
    assert lease.usage_billed
    assert seen(client).settlements[lease.id.order].escrow is None
    world.settlement_escrow(world.tenants[0], lease.id, 1_000_000)
    escrow = seen(client).settlements[lease.id.order].escrow
    assert escrow is not None
    assert (escrow.state, escrow.recipient, escrow.balance) == (State.ACTIVE, lease.id.provider, 1_000_000)
    until = seen(client).time
    _, view = landed(world, client, RecordUsage(lease.id, 60_000, until - 60, until))
    (recorded,) = view.settlements[lease.id.order].records
    assert (recorded.cost, recorded.settled, len(recorded.signature)) == (60_000, False, 64)
    assert (recorded.period_start, recorded.period_end, recorded.type) == (until - 60, until, "fixed")
    assert_kept_current(world, view)
    _, view = landed(world, client, SettleUsage(lease.id.order, (recorded.id, recorded.id), 60_000))
    side = view.settlements[lease.id.order]
    assert [each.settled for each in side.records] == [True]
    assert side.escrow is not None
    assert side.escrow.balance == 940_000
    assert_kept_current(world, view)


def test_a_node_of_another_chain_is_unseen(world: ChainWorld) -> None:
    reading = world.client(chain_id="another-1").observe([], [])
    assert isinstance(reading, Unseen)
    assert f"is on chain {world.chain_id}, not another-1" in reading.why
