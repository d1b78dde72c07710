"""A market that is stopped and started again: chain, cluster, ports and repository are kept."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.chain.grpc_node import GrpcNode
from reconciler.devnet.accounts import key_of
from reconciler.devnet.errors import DevnetError
from reconciler.devnet.home import BlockPace, Home
from reconciler.devnet.market import DevnetMarket
from reconciler.devnet.trading import FIRST_DSEQ, OrderRequest, Trader, TransactionClient


@contextmanager
def trading(directory: Path) -> Iterator[tuple[DevnetMarket, dict[str, Trader]]]:
    """A market that makes a block whenever a client waits for one, and its accounts by name."""
    market = DevnetMarket(Home(directory), BlockPace(1.0, 40))
    market.open(by_the_clock=False)
    node = GrpcNode(f"127.0.0.1:{market.facts.ports.grpc}")
    client = TransactionClient(node, lambda: step(market))
    try:
        yield market, {name: Trader(client, key_of(name)) for name in ("alice", "bob", "provider", "rival")}
    finally:
        node.close()
        market.close()


def step(market: DevnetMarket) -> None:
    market.step(market.chain.time_ns + 1_000_000_000)


def test_a_trade_from_order_to_closing(tmp_path: Path) -> None:
    with trading(tmp_path) as (_, traders):
        alice = traders["alice"]
        (order,) = alice.order(OrderRequest(Decimal(4000), attributes=(("billing", "usage"),)))
        assert order.dseq == FIRST_DSEQ
        with pytest.raises(DevnetError, match="there is no open bid on order"):
            alice.trade(order.dseq).best()
        traders["provider"].bid(order, Decimal("1.5"))
        trade = alice.trade(order.dseq)
        assert [(o.price, o.state) for o in trade.offers] == [(Decimal("1.5"), "open")]
        with pytest.raises(DevnetError, match="no active lease; accept a bid first"):
            trade.active_lease()
        alice.accept(trade.best())
        assert alice.trade(order.dseq).settlement == ""
        alice.escrow(alice.trade(order.dseq).active_lease())
        assert alice.trade(order.dseq).settlement == "active"
        funds = alice.trade(order.dseq).funds
        alice.deposit(order.dseq, 77)
        trade = alice.trade(order.dseq)
        assert trade.funds == funds + 77
        assert (trade.state, trade.order_state, trade.lease_state) == ("active", "active", "active")
        alice.close(order.dseq)
        trade = alice.trade(order.dseq)
        assert (trade.state, trade.order_state, trade.lease_state) == ("closed", "closed", "closed")


def test_the_cheapest_bid_is_the_best_unless_one_is_named(tmp_path: Path) -> None:
    with trading(tmp_path) as (_, traders):
        (order,) = traders["alice"].order(OrderRequest(Decimal(4000)))
        traders["rival"].bid(order, Decimal(30))
        traders["provider"].bid(order, Decimal(20))
        trade = traders["alice"].trade(order.dseq)
        assert trade.best().provider == traders["provider"].address
        assert trade.best(traders["rival"].address).provider == traders["rival"].address


def test_refusals_carry_the_chains_message(tmp_path: Path) -> None:
    with trading(tmp_path) as (_, traders):
        (order,) = traders["alice"].order(OrderRequest(Decimal(100)))
        with pytest.raises(DevnetError, match=r"the chain refuses it: .*bid price"):
            traders["provider"].bid(order, Decimal(101))
        with pytest.raises(DevnetError, match=f"has no deployment 1; it has {FIRST_DSEQ}"):
            traders["alice"].trade(1)
        assert traders["bob"].trades() == ()


def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    with trading(tmp_path) as (market, traders):
        (order,) = traders["alice"].order(OrderRequest(Decimal(4000)))
        traders["provider"].bid(order, Decimal(2))
        before = (
            market.facts,
            market.chain.height,
            traders["provider"].client.balance(key_of("provider").address),
        )
        host = market.home.host_file.read_bytes()
    assert Home(tmp_path).facts().pid == 0
    with trading(tmp_path) as (market, traders):
        assert market.facts == before[0]
        assert market.chain.height == before[1] + 1
        assert traders["provider"].client.balance(key_of("provider").address) == before[2]
        assert traders["alice"].trade(order.dseq).offers[0].id.order == order
        assert market.home.host_file.read_bytes() == host
        (second,) = traders["bob"].order(OrderRequest(Decimal(4000)))
        assert second.dseq == order.dseq + 1


def test_a_kill_loses_no_block(tmp_path: Path) -> None:
    """Every block is on disk before it can be queried."""
    with trading(tmp_path / "first") as (market, traders):
        traders["alice"].order(OrderRequest(Decimal(4000)))
        height = market.chain.height
        killed = tmp_path / "killed"
        (killed / "chain").mkdir(parents=True)
        (killed / "chain" / "blocks.jsonl").write_bytes(market.home.blocks.read_bytes())
    with trading(killed) as (market, traders):
        assert market.chain.height == height + 1
        assert len(traders["alice"].trades()) == 1


def test_a_restart_keeps_the_cluster(tmp_path: Path) -> None:
    with trading(tmp_path) as (market, _):
        nodes = [n["metadata"]["uid"] for n in market.cluster.objects("nodes")]
        url = market.cluster.url
    with trading(tmp_path) as (market, _):
        assert [n["metadata"]["uid"] for n in market.cluster.objects("nodes")] == nodes
        assert market.cluster.url == url


def test_a_market_that_cannot_be_opened_is_not_changed(tmp_path: Path) -> None:
    with trading(tmp_path):
        pass
    kept = (tmp_path / "cluster" / "cluster.json").read_bytes()
    (tmp_path / "chain" / "blocks.jsonl").write_text('{"time_ns": 1, "txs": ["00"]}\n')
    market = DevnetMarket(Home(tmp_path))
    with pytest.raises(DevnetError):
        market.open()
    market.close()
    assert (tmp_path / "cluster" / "cluster.json").read_bytes() == kept


def test_a_stalled_chain_makes_no_blocks(tmp_path: Path) -> None:
    market = DevnetMarket(Home(tmp_path), BlockPace(0.01, 40))
    market.open()
    try:
        assert market.chain.wait_for(market.chain.height + 3, timeout_seconds=5)
        market.chain.faults.stalled = True
        time.sleep(0.05)
        stalled = market.chain.height
        time.sleep(0.1)
        assert market.chain.height == stalled
    finally:
        market.close()
