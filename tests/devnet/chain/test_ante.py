from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.devnet.chain.gates import ALL_FACTORS
from reconciler.devnet.chain.genesis import Gates
from reconciler.devnet.chain.mempool import CheckedTx, TxTooLargeError
from tests.devnet.chain.players import RICH_UVE, Sending, World, genesis, order, pay, withdraw


def said(checked: CheckedTx) -> tuple[str, int]:
    return checked.codespace, checked.code


@pytest.mark.parametrize(
    ("how", "refusal"),
    [
        (Sending(sequence=1), ("sdk", 32)),
        (Sending(chain_id="another-1"), ("sdk", 4)),
        (Sending(fee=24_999), ("undefined", 1)),
        (Sending(gas=0, fee=0), ("sdk", 41)),
        (Sending(memo="m" * 257), ("sdk", 12)),
        (Sending(gas=30_000, fee=750), ("sdk", 11)),
        (Sending(), ("", 0)),
    ],
)
def test_check_tx_refuses_as_a_node_does(how: Sending, refusal: tuple[str, int]) -> None:
    world = World()

    assert said(world.send("alice", pay("alice", "bob", 1), how=how)) == refusal
    assert len(world.chain.mempool.waiting) == (not refusal[1])


def test_a_timeout_at_the_current_height_passes_the_check_and_fails_in_the_block() -> None:
    world = World()
    now = world.chain.height
    assert said(world.send("alice", pay("alice", "bob", 1), how=Sending(timeout=now))) == ("", 0)
    done = world.chain.step().txs[0]

    assert (done.outcome.codespace, done.outcome.code) == ("sdk", 30)
    assert world.balance("alice") == RICH_UVE
    assert said(world.send("alice", pay("alice", "bob", 1), how=Sending(timeout=now))) == ("sdk", 30)


def test_an_account_has_ten_transactions_a_block() -> None:
    world = World()
    answers = [world.send("alice", pay("alice", "bob", 1 + n), how=Sending(sequence=n)) for n in range(12)]
    assert [answer.code for answer in answers] == [0] * 10 + [1] * 2
    assert answers[-1].codespace == "ratelimit"

    world.chain.step()
    world.chain.limiter.enabled = False
    more = [world.send("alice", pay("alice", "bob", 1 + n), how=Sending(sequence=10 + n)) for n in range(12)]
    assert {answer.code for answer in more} == {0}


def test_the_fee_is_the_offered_one_regardless_of_gas_used() -> None:
    world = World()
    world.do("alice", pay("alice", "bob", 1), how=Sending(fee=90_000))

    assert world.balance("alice") == RICH_UVE - 90_000 - 1


def test_the_genesis_enables_the_gates() -> None:
    closed = World(genesis(gates=Gates(identity=True, second_factor=ALL_FACTORS)))
    assert said(closed.send("alice", order("alice", 5))) == ("mfa", 1214)
    assert said(closed.send("one", withdraw("alice", "one", 5))) == ("mfa", 1214)

    start = genesis(gates=Gates(identity=True))
    nobody = tuple(replace(account, score=None) for account in start.accounts)
    unknown = World(replace(start, accounts=nobody))
    assert said(unknown.send("one", withdraw("alice", "one", 5))) == ("sdk", 4)


def test_the_least_price_is_the_genesiss_own() -> None:
    world = World(replace(genesis(), minimum_gas_price=Decimal("0.5")))

    assert world.send("alice", pay("alice", "bob", 1)).code == 1
    assert world.send("alice", pay("alice", "bob", 1), how=Sending(fee=500_000)).code == 0


def test_a_transaction_above_one_megabyte_is_refused() -> None:
    world = World()
    with pytest.raises(TxTooLargeError, match="Max size is 1048576"):
        world.chain.check_tx(bytes(2**20 + 1))


def test_the_two_senders_of_one_transaction_both_sign() -> None:
    world = World()

    assert said(world.send("alice", pay("alice", "bob", 1), pay("bob", "alice", 1))) == ("sdk", 4)


def test_gates_and_the_price_can_be_changed_while_the_chain_runs() -> None:
    world = World()
    world.chain.faults.gates = Gates(identity=False, second_factor=ALL_FACTORS)
    assert said(world.send("alice", order("alice", 5))) == ("mfa", 1214)
    world.chain.faults.gates = None
    world.chain.faults.price_factor = 4

    refused = world.send("alice", pay("alice", "bob", 1))
    assert refused.log.startswith("insufficient fee: min gas prices 0.100000000000000000uve, got 0.025")
    assert said(world.send("alice", pay("alice", "bob", 1), how=Sending(fee=100_000))) == ("", 0)
