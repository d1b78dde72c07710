"""A view is read at the newest height of both addresses; a false height neither blinds nor is signed for."""

from __future__ import annotations

import logging

import pytest

from reconciler.chain import block_reader
from reconciler.chain.client import LAG_BLOCKS_MAX
from reconciler.chain.heights import CONTRADICTION_SECONDS, SLACK_BLOCKS, SeenHeight
from reconciler.chain.node_errors import NodeRefusedError, TooLargeError, refused
from reconciler.devnet.chain.faults import NodeFaults
from reconciler.devnet.chain.node import SimulatedChain
from reconciler.values.readings import Unseen
from tests.chain.counting import counted, failing
from tests.contracts.chain_backends import ChainWorld
from tests.contracts.chain_steps import landed, lease_of, offer, prepared, seen, unseen

ABSURD = 10**15
NOT_EXECUTED = NodeRefusedError("block_results", "-32603", "could not find results for height #9")


def chain_of(world: ChainWorld) -> SimulatedChain:
    assert world.simulated is not None
    return world.simulated


def faults(world: ChainWorld) -> NodeFaults:
    return chain_of(world).faults


def advance(world: ChainWorld, blocks: int) -> None:
    for _ in range(blocks):
        world.advance()


@pytest.mark.parametrize("lag", [1, 2, 5])
def test_a_lagging_grpc_address_gives_an_older_view(world: ChainWorld, lag: int) -> None:
    advance(world, 2 * lag)
    client = world.client()
    faults(world).grpc_lag = lag
    for _ in range(4):
        order = world.order(world.tenants[0])
        advance(world, lag)
        view = seen(client)
        assert (view.height, view.lag_blocks) == (chain_of(world).height - lag, lag)
        assert order in view.orders
        assert view.time == chain_of(world).time.timestamp() // 1 - lag
    faults(world).grpc_lag = 0
    advance(world, 1)
    view = seen(client)
    assert (view.height, view.lag_blocks) == (chain_of(world).height, 0)


def test_bids_are_executed_through_a_lagging_grpc_address(world: ChainWorld) -> None:
    advance(world, 2)
    order = world.order(world.tenants[0])
    advance(world, 1)
    faults(world).grpc_lag = 1
    client = world.client()
    intent, after = landed(world, client, offer(seen(client), order))
    assert intent.timeout_height <= chain_of(world).height + 20
    assert order in {bid.order for bid in after.bids}


def test_a_lag_of_one_block_costs_one_more_request(world: ChainWorld) -> None:
    advance(world, 4)
    client = world.client()
    faults(world).grpc_lag = 1
    seen(client)
    world.order(world.tenants[0])
    with counted() as counts:
        seen(client)
    assert counts["block"] == 1
    assert sum(counts.values()) <= 10


def test_an_address_far_behind_is_reported(world: ChainWorld) -> None:
    advance(world, LAG_BLOCKS_MAX + 5)
    client = world.client()
    faults(world).grpc_lag = LAG_BLOCKS_MAX + 1
    why = unseen(client)
    assert "does not have height" in why
    assert world.node.target in why
    assert world.rpc.url in why


def test_an_rpc_address_that_is_one_block_behind_shows_the_last_view(world: ChainWorld) -> None:
    advance(world, 4)
    client = world.client()
    view = seen(client)
    faults(world).rpc_lag = 1
    assert seen(client).height == view.height
    assert seen(client).transfers == ()
    faults(world).rpc_lag = 3
    assert "behind height" in unseen(client)


def test_a_stored_unexecuted_block_is_read_with_the_next(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    intent = prepared(client, offer(seen(client), order)).intent
    assert intent is not None
    advance(world, 1)
    seen(client)
    client.broadcast(intent)
    advance(world, 1)
    with failing("block_results", NOT_EXECUTED):
        view = seen(client, [intent.hash])
    assert view.height == chain_of(world).height - 1
    assert view.tx_results == {}
    after = seen(client, [intent.hash])
    assert after.tx_results[intent.hash].code == 0
    assert after.transfers


def test_an_earlier_transaction_is_found_despite_a_lagging_node(
    world: ChainWorld,
) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    intent = prepared(client, offer(seen(client), order)).intent
    assert intent is not None
    client.broadcast(intent)
    advance(world, 1)
    height = chain_of(world).height
    later = world.client()
    ahead = refused(
        "block", "-32603", "height 9 must be less than or equal to the current blockchain height 8"
    )
    with failing("tx", NodeRefusedError("tx", "-32603", f"tx ({intent.hash}) not found")):
        with failing("block", ahead):
            assert isinstance(later.observe([intent.hash], []), Unseen)
        view = seen(later, [intent.hash])
    assert view.tx_results[intent.hash].height == height


def test_an_earlier_transaction_is_found_after_its_block_was_pruned(world: ChainWorld) -> None:
    """The gRPC query reads the block, too, and would be refused for ever."""
    client = world.client()
    order = world.order(world.tenants[0])
    intent = prepared(client, offer(seen(client), order)).intent
    assert intent is not None
    client.broadcast(intent)
    advance(world, 1)
    chain = chain_of(world)
    height = chain.height
    advance(world, 30)
    del chain.ledger._blocks[height]

    view = seen(world.client(), [intent.hash])

    assert view.tx_results[intent.hash].height == height


def test_an_absurd_height_makes_the_chain_unseen_while_it_lasts(world: ChainWorld) -> None:
    client = world.client()
    order = world.order(world.tenants[0])
    seen(client)
    for absurd in (ABSURD, chain_of(world).height + SLACK_BLOCKS + 50):
        faults(world).shown_height = absurd
        assert "is at height" in unseen(client)
        faults(world).shown_height = 0
        advance(world, 1)
        view = seen(client)
        assert view.height == chain_of(world).height
        intent = prepared(client, offer(view, order)).intent
        assert intent is not None
        assert intent.timeout_height <= view.height + 20


def test_a_false_height_in_memory_does_not_block_the_view(
    world: ChainWorld, caplog: pytest.LogCaptureFixture
) -> None:
    time = chain_of(world).time.timestamp()
    for height, at in ((ABSURD, 0.0), (ABSURD, time - 30), (chain_of(world).height + 5000, time - 30)):
        with caplog.at_level(logging.WARNING):
            view = seen(world.client(last_height=SeenHeight(height, at, at)))
        assert view.height == chain_of(world).height
        assert view.transfers is None
        assert f"height {height} was never on this chain" in caplog.text
        world.advance()


def test_an_accepted_false_height_is_dropped_or_forgotten(world: ChainWorld) -> None:
    client, patient = world.client(), world.client()
    for each in (client, patient):
        seen(each)
        now = chain_of(world).time.timestamp()
        each._heights.accept(chain_of(world).height + SLACK_BLOCKS, now, now)
    advance(world, 2)
    assert "one of the two is false" in unseen(client)
    client.forget_height()
    assert seen(client).height == chain_of(world).height
    assert "one of the two is false" in unseen(patient)
    advance(world, CONTRADICTION_SECONDS)
    assert seen(patient).height == chain_of(world).height
    assert seen(patient).block_seconds == 1


def test_a_block_from_the_future_is_rejected(world: ChainWorld) -> None:
    early = chain_of(world).time.timestamp() - 130
    assert "ahead of this host's clock" in unseen(world.client(clock=lambda: early))


def test_views_after_a_false_height_bill_the_same_leases(world: ChainWorld) -> None:
    client = world.client()
    lease = lease_of(world, client)
    faults(world).shown_height = ABSURD
    unseen(client)
    faults(world).shown_height = 0
    assert lease.id in seen(client).leases


def test_a_block_whose_results_are_too_large_leads_to_a_full_view(world: ChainWorld) -> None:
    client = world.client()
    seen(client)
    order = world.order(world.tenants[0])
    with failing("block_results", TooLargeError("more than is read")):
        view = seen(client)
    assert (view.transfers, order in view.orders) == ((), True)


def test_blocks_with_too_many_changes_lead_to_a_full_view(
    world: ChainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client()
    seen(client)
    orders = {world.order(world.tenants[0]) for _ in range(3)}
    monkeypatch.setattr(block_reader, "CHANGES_MAX", 2)
    with counted() as counts:
        view = seen(client)
    assert (view.transfers, set(view.orders)) == ((), orders)
    assert counts["/virtengine.market.v1beta5.Query/Order"] == 0
