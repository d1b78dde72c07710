from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.chain.proto import cosmos_bank_pb2 as banks
from reconciler.chain.proto.cosmos_auth_pb2 import BaseAccount, QueryAccountRequest, QueryAccountResponse
from reconciler.devnet.chain.errors import TxRefusedError
from reconciler.devnet.chain.faults import ConnectionLostError
from reconciler.devnet.chain.mempool import SeenBeforeError
from reconciler.devnet.chain.tables import BALANCES
from tests.devnet.chain.players import (
    FEE_UVE,
    RICH_UVE,
    START_NS,
    Sending,
    World,
    address,
    bid,
    genesis,
    order,
    pay,
)

BALANCE = "/cosmos.bank.v1beta1.Query/Balance"


def asked_balance(world: World, name: str, height: int) -> int:
    asked = banks.QueryBalanceRequest(address=address(name), denom="uve")
    told = world.chain.query(BALANCE, asked.SerializeToString(), height)
    return int(banks.QueryBalanceResponse.FromString(told).balance.amount)


def test_a_transaction_is_all_or_nothing_but_for_its_fee() -> None:
    world = World()
    done = world.do("alice", pay("alice", "bob", 7), pay("alice", "bob", 10 * RICH_UVE))

    assert (done.outcome.codespace, done.outcome.code) == ("sdk", 5)
    assert "message index: 1" in done.outcome.log
    assert world.balance("bob") == RICH_UVE
    assert world.balance("alice") == RICH_UVE - FEE_UVE
    assert world.sequence("alice") == 1
    assert not any(key == "msg_index" for event in done.outcome.events for key, _ in event.attributes)


def test_coins_are_conserved() -> None:
    world = World()
    world.lease("alice", "one", 7, price=10)
    world.do("bob", pay("bob", "stranger", 123))

    total = sum(amount for _, amount in world.chain.view().scan(BALANCES))
    assert total == 4 * RICH_UVE


def test_the_same_bytes_are_accepted_once_and_again_after_a_failure() -> None:
    world = World()
    good = world.bytes("alice", pay("alice", "bob", 7))
    world.chain.check_tx(good)
    with pytest.raises(SeenBeforeError):
        world.chain.check_tx(good)
    world.chain.step()
    with pytest.raises(SeenBeforeError):
        world.chain.check_tx(good)

    bad = world.bytes("alice", pay("alice", "bob", 10 * RICH_UVE))
    assert world.chain.check_tx(bad).code == 0
    world.chain.step()
    assert world.chain.check_tx(bad).code == 32


def test_a_query_at_a_past_height_has_the_answer_of_that_time() -> None:
    world = World()
    before = world.chain.height
    world.do("alice", pay("alice", "bob", 7))
    world.do("alice", pay("alice", "bob", 7))

    assert asked_balance(world, "bob", before) == RICH_UVE
    assert asked_balance(world, "bob", before + 1) == RICH_UVE + 7
    assert asked_balance(world, "bob", 0) == RICH_UVE + 14
    with pytest.raises(TxRefusedError, match="height in the future"):
        asked_balance(world, "bob", before + 3)


def test_a_new_recipient_gets_an_account_and_may_spend() -> None:
    world = World()
    world.do("alice", pay("alice", "stranger", 10**6))
    asked = QueryAccountRequest(address=address("stranger")).SerializeToString()
    told = QueryAccountResponse.FromString(world.chain.query("/cosmos.auth.v1beta1.Query/Account", asked))
    account = BaseAccount.FromString(told.account.value)
    done = world.do("stranger", pay("stranger", "bob", 1))

    assert account.account_number >= 4
    assert done.outcome.code == 0
    assert world.balance("stranger") == 10**6 - FEE_UVE - 1


def test_blocks_have_the_given_times() -> None:
    world = World()
    noon = datetime(2026, 12, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    world.chain.step(noon)
    assert world.chain.time == noon
    world.chain.step()
    assert world.chain.time.microsecond == 250_000
    assert (world.chain.time - noon).total_seconds() == 1
    earlier = world.chain.step(START_NS)
    assert earlier.time_ns > world.chain.ledger.block(earlier.height - 1).time_ns  # type: ignore[union-attr]  # it is there


def test_a_transaction_with_a_lost_reply_is_in_the_mempool() -> None:
    world = World()
    world.chain.faults.lost_replies = 1
    with pytest.raises(ConnectionLostError):
        world.send("alice", pay("alice", "bob", 7))
    world.chain.step()
    assert world.balance("bob") == RICH_UVE + 7

    world.chain.faults.lost_requests = 1
    with pytest.raises(ConnectionLostError):
        world.send("alice", pay("alice", "bob", 7))
    world.chain.step()
    assert world.balance("bob") == RICH_UVE + 7


def test_a_raced_sequence_fails_in_the_block_without_a_fee() -> None:
    world = World()
    assert world.send("alice", pay("alice", "bob", 7)).code == 0
    world.chain.faults.racing.append(address("alice"))
    done = world.chain.step().txs[0]

    assert (done.outcome.codespace, done.outcome.code) == ("sdk", 32)
    assert world.balance("alice") == RICH_UVE


def test_the_mempool_is_checked_again_after_each_block() -> None:
    world = World()
    first = world.send("alice", pay("alice", "bob", 7))
    second = world.send("alice", pay("alice", "bob", 7), how=Sending(sequence=1))
    other = world.send("bob", pay("bob", "alice", 1))
    world.chain.step(include=[other.hash])
    assert set(world.chain.mempool.waiting) == {first.hash, second.hash}

    world.chain.faults.racing.append(address("alice"))
    world.chain.step(include=[])
    assert set(world.chain.mempool.waiting) == {second.hash}


def test_a_simulation_changes_nothing() -> None:
    world = World()
    world.do("alice", order("alice", 5))
    data = world.bytes("one", bid("alice", "one", 5))
    before = world.balance("one")
    outcome = world.chain.simulate(data)
    world.chain.step()

    assert outcome.code == 0
    assert outcome.gas_used > 100_000
    assert world.balance("one") == before


def test_a_lagging_node_reports_an_older_height() -> None:
    world = World(genesis())
    world.do("alice", pay("alice", "bob", 7))
    world.do("alice", pay("alice", "bob", 7))
    world.chain.faults.lag = 1

    assert world.chain.reading.height == world.chain.height - 1
    assert asked_balance(world, "bob", 0) == RICH_UVE + 7
    newest = world.chain.ledger.block(world.chain.height)
    assert newest is not None
    assert world.chain.reading.find(newest.txs[0].hash) is None
