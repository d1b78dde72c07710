"""One world, stopped and started: chain, cluster, ports and repository go on."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.devnet.accounts import key_of
from reconciler.devnet.faults import DevnetError
from reconciler.devnet.home import BlockPace, Home
from reconciler.devnet.market import DevnetMarket
from reconciler.devnet.node import TenantNode
from reconciler.devnet.tenant import OrderRequest, Tenant
from reconciler.devnet.trading import FIRST_NUMBER, escrow_state, show


@contextmanager
def trading(directory: Path) -> Iterator[tuple[DevnetMarket, dict[str, Tenant]]]:
    """A market whose blocks are made while somebody waits for one."""
    market = DevnetMarket(Home(directory), BlockPace(1.0, 40))
    market.open(by_the_clock=False)
    node = TenantNode(f"127.0.0.1:{market.facts.ports.grpc}", lambda: step(market))
    try:
        yield market, {name: Tenant(node, key_of(name)) for name in ("alice", "bob", "provider", "rival")}
    finally:
        node.close()
        market.close()


def step(market: DevnetMarket) -> None:
    market.step(market.chain.time_ns + 1_000_000_000)


def test_a_whole_trade_and_what_its_tenant_sees_of_it(tmp_path: Path) -> None:
    with trading(tmp_path) as (_, people):
        alice = people["alice"]
        (order,) = alice.order(OrderRequest(Decimal(4000), attributes=(("billing", "usage"),)))
        assert order.dseq == FIRST_NUMBER
        with pytest.raises(DevnetError, match="there is no open bid on order"):
            alice.trade(order.dseq).best()
        people["provider"].bid(order, Decimal("1.5"))
        trade = alice.trade(order.dseq)
        assert [(o.price, o.state) for o in trade.offers] == [(Decimal("1.5"), "open")]
        with pytest.raises(DevnetError, match="no active lease; accept a bid first"):
            trade.leased()
        alice.accept(trade.best())
        assert escrow_state(alice.node, order) == ""
        alice.escrow(alice.trade(order.dseq).leased())
        assert escrow_state(alice.node, order) == "active"
        funds = alice.trade(order.dseq).funds
        alice.deposit(order.dseq, 77)
        trade = alice.trade(order.dseq)
        assert trade.funds == funds + 77
        assert (trade.state, trade.order_state, trade.lease_state) == ("active", "active", "active")
        alice.close(order.dseq)
        trade = alice.trade(order.dseq)
        assert (trade.state, trade.order_state, trade.lease_state) == ("closed", "closed", "closed")


def test_the_cheapest_bid_is_the_best_unless_one_is_named(tmp_path: Path) -> None:
    with trading(tmp_path) as (_, people):
        (order,) = people["alice"].order(OrderRequest(Decimal(4000)))
        people["rival"].bid(order, Decimal(30))
        people["provider"].bid(order, Decimal(20))
        trade = people["alice"].trade(order.dseq)
        assert trade.best().provider == people["provider"].address
        assert trade.best(people["rival"].address).provider == people["rival"].address


def test_refusals_are_the_chains_words(tmp_path: Path) -> None:
    with trading(tmp_path) as (_, people):
        (order,) = people["alice"].order(OrderRequest(Decimal(100)))
        with pytest.raises(DevnetError, match=r"the chain refuses it: .*bid price"):
            people["provider"].bid(order, Decimal(101))
        with pytest.raises(DevnetError, match=f"has no deployment 1; it has {FIRST_NUMBER}"):
            people["alice"].trade(1)
        assert people["bob"].trades() == ()


def test_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with trading(tmp_path) as (market, people):
        (order,) = people["alice"].order(OrderRequest(Decimal(4000)))
        people["provider"].bid(order, Decimal(2))
        before = (
            market.facts,
            market.chain.height,
            people["provider"].node.balance(key_of("provider").address),
        )
        host = market.home.host_file.read_bytes()
    assert Home(tmp_path).facts().pid == 0
    with trading(tmp_path) as (market, people):
        assert market.facts == before[0]
        assert market.chain.height == before[1] + 1
        assert people["provider"].node.balance(key_of("provider").address) == before[2]
        assert show(people["alice"].trade(order.dseq).offers[0].id) == show(order)
        assert market.home.host_file.read_bytes() == host
        (second,) = people["bob"].order(OrderRequest(Decimal(4000)))
        assert second.dseq == order.dseq + 1


def test_it_goes_on_after_a_kill(tmp_path: Path) -> None:
    """Nothing is closed: what was in a block is on disk."""
    with trading(tmp_path / "first") as (market, people):
        people["alice"].order(OrderRequest(Decimal(4000)))
        height = market.chain.height
        killed = tmp_path / "killed"
        (killed / "chain").mkdir(parents=True)
        (killed / "chain" / "blocks.jsonl").write_bytes(market.home.blocks.read_bytes())
    with trading(killed) as (market, people):
        assert market.chain.height == height + 1
        assert len(people["alice"].trades()) == 1


def test_the_cluster_goes_on_too(tmp_path: Path) -> None:
    with trading(tmp_path) as (market, _):
        nodes = [n["metadata"]["uid"] for n in market.cluster.objects("nodes")]
        url = market.cluster.url
    with trading(tmp_path) as (market, _):
        assert [n["metadata"]["uid"] for n in market.cluster.objects("nodes")] == nodes
        assert market.cluster.url == url


def test_a_world_that_cannot_be_opened_is_left_as_it_was(tmp_path: Path) -> None:
    with trading(tmp_path):
        pass
    kept = (tmp_path / "cluster" / "cluster.json").read_bytes()
    (tmp_path / "chain" / "blocks.jsonl").write_text('{"time_ns": 1, "txs": ["00"]}\n')
    market = DevnetMarket(Home(tmp_path))
    with pytest.raises(DevnetError):
        market.open()
    market.close()
    assert (tmp_path / "cluster" / "cluster.json").read_bytes() == kept
